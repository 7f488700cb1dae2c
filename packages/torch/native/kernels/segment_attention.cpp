// keel::segment_attention: attention over a packed batch. Every segment sees itself causally and
// the segments that it continues fully, without masks or expanded grouped heads. The backward
// recomputes the probabilities from the log-sum-exp (Dao et al. 2022, arXiv:2205.14135, algorithm
// 4), transposed, so that no operand needs transposing before a product.
#include <ATen/native/CPUBlas.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cstring>

#include "segment_blocks.h"
#include "segment_flash.h"
#include "units.h"

namespace keel {
namespace {

using at::native::cpublas::brgemm;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Ints = c10::IntArrayRef;

constexpr int64_t kQueryBlock = 64;
// LibTorch compiles its block product for every new shape and caches it. Sizes and strides are
// rounded up, with zero padding, so that there are few shapes.
constexpr int64_t kTile = 128, kGrain = 32, kStride = 512;

constexpr int64_t roundUp(int64_t value, int64_t unit) { return (value + unit - 1) / unit * unit; }
// 16, 32 or 64 queries
constexpr int64_t blockRows(int64_t count) {
  return count <= 16 ? 16 : (count <= 32 ? 32 : kQueryBlock);
}

// Calls body(start, size) for tiles of a count that is a multiple of kGrain.
template <typename Body>
void forTiles(int64_t count, Body body) {
  for (int64_t start = 0; start < count; start += kTile)
    body(start, std::min(kTile, count - start));
}

// LibTorch holds the processor's matrix state for a thread's last product. It is released here in
// any case.
struct MatrixState {
  ~MatrixState() { at::native::cpublas::brgemm_release(); }
};

// Packs the second operand of a product, [depth, columns], into the layout of the matrix units.
// bf16: pairs of rows interleaved; depth is even, since everything is rounded up.
void packRows(const rows::bf16* from, int64_t stride, int64_t depth, int64_t columns,
              rows::bf16* to) {
  for (int64_t d = 0; d < depth; d += 2, to += 2 * columns) {
    const rows::bf16 *low = from + d * stride, *high = low + stride;
    for (int64_t c = 0; c < columns; ++c) to[2 * c] = low[c], to[2 * c + 1] = high[c];
  }
}
void packRows(const float* from, int64_t stride, int64_t depth, int64_t columns, float* to) {
  for (int64_t d = 0; d < depth; ++d) std::copy_n(from + d * stride, columns, to + d * columns);
}

// from [columns, depth]: the transposed operand. A pair of bf16 is moved as one word.
void packColumns(const rows::bf16* from, int64_t stride, int64_t columns, int64_t depth,
                 rows::bf16* to) {
  const auto word = [](const rows::bf16* at) {
    uint32_t bits;
    std::memcpy(&bits, at, 4);
    return bits;
  };
  for (int64_t d = 0; d < depth; d += 2) {
    for (int64_t c = 0; c < columns; ++c) {
      const uint32_t bits = word(from + c * stride + d);
      std::memcpy(to + d * columns + 2 * c, &bits, 4);
    }
  }
}
void packColumns(const float* from, int64_t stride, int64_t columns, int64_t depth, float* to) {
  for (int64_t d = 0; d < depth; ++d)
    for (int64_t c = 0; c < columns; ++c) to[d * columns + c] = from[c * stride + d];
}

// c [m, n] (+)= a [m, depth] b [depth, n], b packed
void multiply(int64_t m, int64_t n, int64_t depth, const rows::bf16* a, int64_t strideA,
              const rows::bf16* b, float* c, int64_t strideC, bool add) {
  brgemm(m, n, depth, strideA, n, strideC, add, reinterpret_cast<const at::BFloat16*>(a),
         reinterpret_cast<const at::BFloat16*>(b), c);
}
void multiply(int64_t m, int64_t n, int64_t depth, const float* a, int64_t strideA, const float* b,
              float* c, int64_t strideC, bool add) {
  brgemm(m, n, depth, strideA, n, strideC, add, a, b, c);
}

// Copies rows of one head of a chain's keys or values, one after the other, into a zeroed buffer:
// [total, padded].
template <typename T>
void gather(const T* from, const Layout::Segment& segment, int64_t heads, int64_t head,
            int64_t size, int64_t padded, T* to) {
  for (const auto& run : segment.keys) {
    for (int64_t i = 0; i < run.length; ++i, to += padded) {
      std::copy_n(from + ((run.start + i) * heads + head) * size, size, to);
    }
  }
}

template <typename T>
void forwardUnits(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                  const Layout& layout, const Options& options, const Sizes& s,
                  const at::Tensor& out, const at::Tensor& logsumexp) {
  const T *query = readOnly<T>(q), *key = readOnly<T>(k), *value = readOnly<T>(v);
  T* result = writable<T>(out);
  float* sums = writable<float>(logsumexp);
  const int64_t padded = roundUp(s.size, kGrain);
  const auto count = static_cast<int64_t>(layout.segments.size());
  forUnits(count * s.keyHeads, [&](int64_t unit) {
    const MatrixState state;
    const auto& segment = layout.segments[count - 1 - unit / s.keyHeads];
    const int64_t keyHead = unit % s.keyHeads, total = roundUp(segment.total(), kGrain),
                  stride = roundUp(total, kStride);
    std::vector<T> keys(total * padded), values(total * padded), packedKeys(padded * total),
        packedValues(total * padded);
    std::vector<T> queries(kQueryBlock * padded), probabilities(kQueryBlock * stride);
    std::vector<float> scores(kQueryBlock * stride), block(kQueryBlock * padded);
    gather(key, segment, s.keyHeads, keyHead, s.size, padded, keys.data());
    gather(value, segment, s.keyHeads, keyHead, s.size, padded, values.data());
    packRows(values.data(), padded, total, padded, packedValues.data());
    forTiles(total, [&](int64_t start, int64_t size) {
      packColumns(keys.data() + start * padded, padded, size, padded,
                  packedKeys.data() + start * padded);
    });
    for (int64_t from = 0; from < segment.length; from += kQueryBlock) {
      const int64_t size = std::min(kQueryBlock, segment.length - from), height = blockRows(size);
      // Keys up to the block's last query, in whole tiles as packed.
      const int64_t seen = std::min(total, roundUp(segment.past + from + size, kTile));
      for (int64_t group = 0; group < s.groups; ++group) {
        const int64_t head = keyHead * s.groups + group;
        for (int64_t i = 0; i < size; ++i)
          std::copy_n(query + ((segment.start + from + i) * s.heads + head) * s.size, s.size,
                      queries.data() + i * padded);
        forTiles(seen, [&](int64_t start, int64_t width) {
          multiply(height, width, padded, queries.data(), padded,
                   packedKeys.data() + start * padded, scores.data() + start, stride, false);
        });
        for (int64_t i = 0; i < size; ++i) {
          const int64_t place = segment.past + from + i;
          sums[(segment.start + from + i) * s.heads + head] = table<T>().softmaxRow(
              scores.data() + i * stride, probabilities.data() + i * stride, options.first(place),
              place + 1, seen, static_cast<float>(options.scale),
              static_cast<float>(options.softcap));
        }
        forTiles(seen, [&](int64_t start, int64_t depth) {
          multiply(height, padded, depth, probabilities.data() + start, stride,
                   packedValues.data() + start * padded, block.data(), padded, start > 0);
        });
        for (int64_t i = 0; i < size; ++i) {
          T* to = result + ((segment.start + from + i) * s.heads + head) * s.size;
          table<T>().narrowRow(block.data() + i * padded, to, s.size);
        }
      }
    }
  });
}

template <typename T>
void backwardUnits(const at::Tensor& g, const at::Tensor& q, const at::Tensor& k,
                   const at::Tensor& v, const at::Tensor& out, const at::Tensor& logsumexp,
                   const Layout& layout, const Options& options, const Sizes& s,
                   const at::Tensor& gQuery, const at::Tensor& gKey, const at::Tensor& gValue) {
  const T *outer = readOnly<T>(g), *query = readOnly<T>(q), *key = readOnly<T>(k),
          *value = readOnly<T>(v), *result = readOnly<T>(out);
  const float* sums = readOnly<float>(logsumexp);
  T* toQuery = writable<T>(gQuery);
  const int64_t padded = roundUp(s.size, kGrain);
  const auto count = static_cast<int64_t>(layout.segments.size());
  // Gradients of every key that a segment sees, summed over its queries. They are summed over
  // segments afterwards, in order.
  std::vector<std::vector<float>> keyParts(count * s.keyHeads), valueParts(count * s.keyHeads);
  forUnits(count * s.keyHeads, [&](int64_t unit) {
    const MatrixState state;
    const int64_t index = count - 1 - unit / s.keyHeads, keyHead = unit % s.keyHeads;
    const auto& segment = layout.segments[index];
    const int64_t total = roundUp(segment.total(), kGrain), stride = roundUp(total, kStride);
    auto &keyPart = keyParts[index * s.keyHeads + keyHead],
         &valuePart = valueParts[index * s.keyHeads + keyHead];
    keyPart.assign(total * padded, 0.f);
    valuePart.assign(total * padded, 0.f);
    std::vector<T> keys(total * padded), values(total * padded), turnedKeys(padded * stride);
    gather(key, segment, s.keyHeads, keyHead, s.size, padded, keys.data());
    gather(value, segment, s.keyHeads, keyHead, s.size, padded, values.data());
    for (int64_t i = 0; i < total; ++i)
      for (int64_t d = 0; d < s.size; ++d) turnedKeys[d * stride + i] = keys[i * padded + d];
    std::vector<T> queries(kQueryBlock * padded), outers(kQueryBlock * padded);
    std::vector<T> packedQueries(padded * kQueryBlock), packedOuters(padded * kQueryBlock);
    std::vector<T> probabilities(total * kQueryBlock), gScores(total * kQueryBlock),
        packedScores(total * kQueryBlock);
    std::vector<float> scores(total * kQueryBlock), gProbabilities(total * kQueryBlock),
        turned(padded * kQueryBlock);
    std::vector<float> sum(kQueryBlock), delta(kQueryBlock), row(s.size);
    for (int64_t from = 0; from < segment.length; from += kQueryBlock) {
      const int64_t size = std::min(kQueryBlock, segment.length - from), width = blockRows(size);
      const int64_t seen = std::min(total, roundUp(segment.past + from + size, kGrain));
      for (int64_t group = 0; group < s.groups; ++group) {
        const int64_t head = keyHead * s.groups + group;
        // Zeros beyond the block.
        std::fill(queries.begin() + size * padded, queries.begin() + width * padded, T{});
        std::fill(outers.begin() + size * padded, outers.begin() + width * padded, T{});
        for (int64_t i = 0; i < size; ++i) {
          const int64_t at = ((segment.start + from + i) * s.heads + head) * s.size;
          std::copy_n(query + at, s.size, queries.data() + i * padded);
          std::copy_n(outer + at, s.size, outers.data() + i * padded);
          sum[i] = sums[(segment.start + from + i) * s.heads + head];
          delta[i] = table<T>().dotRow(outer + at, result + at, s.size);
        }
        // Transposed scores and gradients of probabilities: [seen, width]
        packColumns(queries.data(), padded, width, padded, packedQueries.data());
        packColumns(outers.data(), padded, width, padded, packedOuters.data());
        forTiles(seen, [&](int64_t start, int64_t height) {
          multiply(height, width, padded, keys.data() + start * padded, padded,
                   packedQueries.data(), scores.data() + start * width, width, false);
          multiply(height, width, padded, values.data() + start * padded, padded,
                   packedOuters.data(), gProbabilities.data() + start * width, width, false);
        });
        for (int64_t i = 0; i < seen; ++i) {
          // A key is seen by queries from its own position on; a padding key by none.
          const int64_t first = std::clamp<int64_t>(i - segment.past - from, 0, size);
          const int64_t last = std::clamp<int64_t>(
              options.end(i, segment.total()) - segment.past - from, first, size);
          table<T>().softmaxColumn(
              scores.data() + i * width, gProbabilities.data() + i * width, sum.data(),
              delta.data(), probabilities.data() + i * width, gScores.data() + i * width, first,
              i < segment.total() ? last : first, width, static_cast<float>(options.scale),
              static_cast<float>(options.softcap));
        }
        packRows(outers.data(), padded, width, padded, packedOuters.data());
        packRows(queries.data(), padded, width, padded, packedQueries.data());
        packRows(gScores.data(), width, seen, width, packedScores.data());
        forTiles(seen, [&](int64_t start, int64_t height) {
          multiply(height, padded, width, probabilities.data() + start * width, width,
                   packedOuters.data(), valuePart.data() + start * padded, padded, true);
          multiply(height, padded, width, gScores.data() + start * width, width,
                   packedQueries.data(), keyPart.data() + start * padded, padded, true);
          multiply(padded, width, height, turnedKeys.data() + start, stride,
                   packedScores.data() + start * width, turned.data(), width, start > 0);
        });
        for (int64_t i = 0; i < size; ++i) {
          for (int64_t d = 0; d < s.size; ++d) row[d] = turned[d * width + i];
          table<T>().narrowRow(
              row.data(), toQuery + ((segment.start + from + i) * s.heads + head) * s.size, s.size);
        }
      }
    }
  });
  std::vector<KeyPart> parts;
  for (int64_t unit = 0; unit < count * s.keyHeads; ++unit)
    parts.push_back({unit / s.keyHeads, unit % s.keyHeads, 0, &keyParts[unit], &valueParts[unit]});
  collectKeyParts<T>(parts, layout, s, padded, gKey, gValue);
}

// Whether LibTorch has a block product for the type on this processor with this packing, found by
// trial.
template <typename T>
bool hasProduct() {
  static const bool found = [] {
    constexpr int64_t m = 16, n = 32, depth = 32;
    std::vector<T> a(m * depth), b(depth * n), packed(depth * n);
    std::vector<float> c(m * n);
    // Small whole numbers, which are exact in every type.
    for (int64_t i = 0; i < m * depth; ++i) a[i] = rows::narrowed<T>(static_cast<float>(i % 7) - 3);
    for (int64_t i = 0; i < depth * n; ++i) b[i] = rows::narrowed<T>(static_cast<float>(i % 5) - 2);
    packRows(b.data(), n, depth, n, packed.data());
    try {
      const MatrixState state;
      multiply(m, n, depth, a.data(), depth, packed.data(), c.data(), n, false);
    } catch (const std::exception&) {
      return false;
    }
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        int64_t expected = 0;
        for (int64_t d = 0; d < depth; ++d)
          expected += ((i * depth + d) % 7 - 3) * ((d * n + j) % 5 - 2);
        if (c[i * n + j] != static_cast<float>(expected)) return false;
      }
    }
    return true;
  }();
  return found;
}

bool fused(const at::Tensor& q, const Sizes& sizes) {
  if (!q.is_cpu()) return false;
  if (attendsByBlocks(q, sizes)) return true;
  if (q.scalar_type() == at::kFloat) return hasProduct<float>();
  return q.scalar_type() == at::kBFloat16 && hasProduct<rows::bf16>();
}

template <typename Body>
void withFusedType(const at::Tensor& q, Body body) {
  if (q.scalar_type() == at::kFloat)
    body(float{});
  else
    body(rows::bf16{});
}

class SegmentAttention : public torch::autograd::Function<SegmentAttention> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& query, const at::Tensor& key,
                            const at::Tensor& value, std::vector<int64_t> segments, double scale,
                            int64_t window, double softcap) {
    const at::Tensor q = query.contiguous(), k = key.contiguous(), v = value.contiguous();
    const Sizes s = sizesOf(q, k, v);
    const Layout layout(segments, s.tokens);
    at::Tensor out = at::empty(q.sizes(), q.options()),
               logsumexp = at::empty({s.tokens, s.heads}, q.options().dtype(at::kFloat));
    const Options options = {scale, window, softcap};
    if (attendsByBlocks(q, s))
      attendByBlocks(q, k, v, layout, options, s, out, logsumexp);
    else
      withFusedType(q, [&](auto sample) {
        forwardUnits<decltype(sample)>(q, k, v, layout, options, s, out, logsumexp);
      });
    ctx->save_for_backward({q, k, v, out, logsumexp});
    ctx->saved_data["segments"] = segments;
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["window"] = window;
    ctx->saved_data["softcap"] = softcap;
    return out;
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3],
                     &logsumexp = saved[4];
    const Sizes s = sizesOf(q, k, v);
    const Layout layout(ctx->saved_data["segments"].toIntVector(), s.tokens);
    const Options options = {ctx->saved_data["scale"].toDouble(), ctx->saved_data["window"].toInt(),
                             ctx->saved_data["softcap"].toDouble()};
    at::Tensor gQuery = at::empty(q.sizes(), q.options()), gKey = at::empty(k.sizes(), k.options()),
               gValue = at::empty(v.sizes(), v.options());
    const at::Tensor g = outer[0].contiguous();
    if (attendsByBlocks(q, s))
      attendBackwardByBlocks(g, q, k, v, out, logsumexp, layout, options, s, gQuery, gKey, gValue);
    else
      withFusedType(q, [&](auto sample) {
        backwardUnits<decltype(sample)>(g, q, k, v, out, logsumexp, layout, options, s, gQuery,
                                        gKey, gValue);
      });
    return {gQuery, gKey, gValue, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, Ints segments,
                  double scale, int64_t window, double softcap) {
  const Sizes s = sizesOf(q, k, v);
  if (fused(q, s)) return SegmentAttention::apply(q, k, v, segments.vec(), scale, window, softcap);
  const Options options{scale, window, softcap};
  if (attendsByFlash(q, options, s)) return attendByFlash(q, k, v, segments, options, s);
  return composed(q, k, v, Layout(segments, s.tokens), options, s);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "segment_attention(Tensor query, Tensor key, Tensor value, int[] segments, float scale, int "
      "window=0, float softcap=0.0) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeImplicitAutograd, library) {
  library.impl("segment_attention", attend);
}

}  // namespace keel
