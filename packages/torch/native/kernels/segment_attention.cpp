// keel::segment_attention: attention over a packed batch. Every segment sees itself causally and the segments that it
// continues fully; masks and expanded grouped heads never exist. The backward computes the probabilities again from the
// log-sum-exp (Dao et al. 2022, arXiv:2205.14135, algorithm 4), transposed, so that nothing has to be turned around
// before a product.
#include <ATen/native/CPUBlas.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <atomic>

#include "dispatch.h"

namespace keel {
namespace {

using at::native::cpublas::brgemm;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Ints = c10::IntArrayRef;

constexpr int64_t kQueryBlock = 64;

// How many tokens stand before each segment in its sequence, and which runs of the batch they are.
struct Layout {
  struct Run {
    int64_t start, length;
  };
  struct Segment {
    std::vector<Run> keys;  // of its chain, itself last
    int64_t start, length, past;
    int64_t total() const { return past + length; }
  };
  std::vector<Segment> segments;

  // table [segments * 3]: start, length, prefix
  Layout(Ints table, int64_t tokens) {
    TORCH_CHECK(table.size() % 3 == 0, "segment_attention: the table has start, length and prefix of each segment");
    int64_t expected = 0;
    for (size_t i = 0; i < table.size() / 3; ++i) {
      const int64_t start = table[3 * i], length = table[3 * i + 1], prefix = table[3 * i + 2];
      TORCH_CHECK(start == expected && length > 0 && start + length <= tokens && prefix >= -1 && prefix < static_cast<int64_t>(i),
                  "segment_attention: segment ", i, " (start ", start, ", length ", length, ", prefix ", prefix, ") does not fit the batch");
      expected = start + length;
      Segment segment{{}, start, length, 0};
      if (prefix >= 0) {
        segment.keys = segments[prefix].keys;
        segment.past = segments[prefix].total();
      }
      segment.keys.push_back({start, length});
      segments.push_back(std::move(segment));
    }
    TORCH_CHECK(expected == tokens, "segment_attention: the segments cover ", expected, " of ", tokens, " tokens");
  }
};

struct Options {
  double scale;
  int64_t window;  // 0: none
  double softcap;  // 0: none
  // Keys [first, last) that the query at this place of its sequence sees.
  int64_t first(int64_t place) const { return window > 0 ? std::max<int64_t>(0, place - window + 1) : 0; }
  // Queries before this place see the key at `key`.
  int64_t end(int64_t key, int64_t total) const { return window > 0 ? std::min(total, key + window) : total; }
};

// Calls body(unit) for every unit, the next free thread taking the next one: segments differ in length.
template <typename Body>
void forUnits(int64_t count, Body body) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, std::min<int64_t>(count, at::get_num_threads()), 1, [&](int64_t, int64_t) {
    for (int64_t unit = next++; unit < count; unit = next++) body(unit);
    at::native::cpublas::brgemm_release();
  });
}

// Second operand of a product, [depth, columns], in the layout that the matrix units want. bf16: pairs of rows interleaved.
inline int64_t packedDepth(int64_t depth, rows::bf16) { return (depth + 1) / 2 * 2; }
inline int64_t packedDepth(int64_t depth, float) { return depth; }

// from [depth, columns] with this stride
void packRows(const rows::bf16* from, int64_t stride, int64_t depth, int64_t columns, rows::bf16* to) {
  for (int64_t d = 0; d < depth; d += 2, to += 2 * columns) {
    const rows::bf16 *low = from + d * stride, *high = low + stride;
    if (d + 1 < depth)
      for (int64_t c = 0; c < columns; ++c) to[2 * c] = low[c], to[2 * c + 1] = high[c];
    else
      for (int64_t c = 0; c < columns; ++c) to[2 * c] = low[c], to[2 * c + 1] = {0};
  }
}
void packRows(const float* from, int64_t stride, int64_t depth, int64_t columns, float* to) {
  for (int64_t d = 0; d < depth; ++d) std::copy_n(from + d * stride, columns, to + d * columns);
}

// from [columns, depth]: the transposed operand
void packColumns(const rows::bf16* from, int64_t stride, int64_t columns, int64_t depth, rows::bf16* to) {
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t d = 0; d < depth; ++d) to[(d / 2 * columns + c) * 2 + d % 2] = from[c * stride + d];
  if (depth % 2 == 1)
    for (int64_t c = 0; c < columns; ++c) to[((depth / 2) * columns + c) * 2 + 1] = {0};
}
void packColumns(const float* from, int64_t stride, int64_t columns, int64_t depth, float* to) {
  for (int64_t c = 0; c < columns; ++c)
    for (int64_t d = 0; d < depth; ++d) to[d * columns + c] = from[c * stride + d];
}

// c [m, n] (+)= a [m, depth] b [depth, n], b packed
void multiply(int64_t m, int64_t n, int64_t depth, const rows::bf16* a, int64_t strideA, const rows::bf16* b, float* c, bool add) {
  // An odd depth reads one element past the row: a's rows are padded with it (strideA is even then).
  brgemm(m, n, packedDepth(depth, rows::bf16{}), strideA, n, n, add, reinterpret_cast<const at::BFloat16*>(a), reinterpret_cast<const at::BFloat16*>(b), c);
}
void multiply(int64_t m, int64_t n, int64_t depth, const float* a, int64_t strideA, const float* b, float* c, bool add) {
  brgemm(m, n, depth, strideA, n, n, add, a, b, c);
}

// Rows of one head of a chain's keys or values, one after the other: [total, size padded to even].
template <typename T>
void gather(const T* from, const Layout::Segment& segment, int64_t heads, int64_t head, int64_t size, int64_t padded, T* to) {
  for (const auto& run : segment.keys) {
    for (int64_t i = 0; i < run.length; ++i, to += padded) {
      std::copy_n(from + ((run.start + i) * heads + head) * size, size, to);
      for (int64_t d = size; d < padded; ++d) to[d] = T{};
    }
  }
}

struct Sizes {
  int64_t tokens, heads, keyHeads, size, groups;
};

Sizes sizesOf(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && k.sizes() == v.sizes() && q.size(0) == k.size(0) && q.size(2) == k.size(2) && q.size(1) % k.size(1) == 0,
              "segment_attention takes query [T, heads, size], key and value [T, keyHeads, size]; got ", q.sizes(), ", ", k.sizes(), ", ", v.sizes());
  return {q.size(0), q.size(1), k.size(1), q.size(2), q.size(1) / k.size(1)};
}

template <typename T>
void forwardUnits(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& layout, const Options& options,
                  const Sizes& s, const at::Tensor& out, const at::Tensor& logsumexp) {
  const T *query = readOnly<T>(q), *key = readOnly<T>(k), *value = readOnly<T>(v);
  T* result = writable<T>(out);
  float* sums = writable<float>(logsumexp);
  const int64_t padded = packedDepth(s.size, T{});
  const auto count = static_cast<int64_t>(layout.segments.size());
  forUnits(count * s.keyHeads, [&](int64_t unit) {
    const auto& segment = layout.segments[count - 1 - unit / s.keyHeads];
    const int64_t keyHead = unit % s.keyHeads, total = segment.total(), depth = packedDepth(total, T{});
    std::vector<T> keys(total * padded), values(total * padded), packedKeys(padded * total), packedValues(depth * s.size);
    std::vector<T> queries(kQueryBlock * padded), probabilities(kQueryBlock * depth);
    std::vector<float> scores(kQueryBlock * total), block(kQueryBlock * s.size);
    gather(key, segment, s.keyHeads, keyHead, s.size, padded, keys.data());
    gather(value, segment, s.keyHeads, keyHead, s.size, padded, values.data());
    for (int64_t from = 0; from < segment.length; from += kQueryBlock) {
      const int64_t size = std::min(kQueryBlock, segment.length - from);
      const int64_t seen = segment.past + from + size, seenDepth = packedDepth(seen, T{});  // keys up to the block's last query
      packColumns(keys.data(), padded, seen, s.size, packedKeys.data());
      packRows(values.data(), padded, seen, s.size, packedValues.data());
      for (int64_t group = 0; group < s.groups; ++group) {
        const int64_t head = keyHead * s.groups + group;
        for (int64_t i = 0; i < size; ++i) {
          std::copy_n(query + ((segment.start + from + i) * s.heads + head) * s.size, s.size, queries.data() + i * padded);
          for (int64_t d = s.size; d < padded; ++d) queries[i * padded + d] = T{};
        }
        multiply(size, seen, s.size, queries.data(), padded, packedKeys.data(), scores.data(), false);
        for (int64_t i = 0; i < size; ++i) {
          const int64_t place = segment.past + from + i;
          sums[(segment.start + from + i) * s.heads + head] = table<T>().softmaxRow(
              scores.data() + i * seen, probabilities.data() + i * seenDepth, options.first(place), place + 1, seenDepth,
              static_cast<float>(options.scale), static_cast<float>(options.softcap));
        }
        multiply(size, s.size, seen, probabilities.data(), seenDepth, packedValues.data(), block.data(), false);
        for (int64_t i = 0; i < size; ++i) {
          T* to = result + ((segment.start + from + i) * s.heads + head) * s.size;
          table<T>().narrowRow(block.data() + i * s.size, to, s.size);
        }
      }
    }
  });
}

template <typename T>
void backwardUnits(const at::Tensor& g, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& out,
                   const at::Tensor& logsumexp, const Layout& layout, const Options& options, const Sizes& s,
                   const at::Tensor& gQuery, const at::Tensor& gKey, const at::Tensor& gValue) {
  const T *outer = readOnly<T>(g), *query = readOnly<T>(q), *key = readOnly<T>(k), *value = readOnly<T>(v), *result = readOnly<T>(out);
  const float* sums = readOnly<float>(logsumexp);
  T *toQuery = writable<T>(gQuery), *toKey = writable<T>(gKey), *toValue = writable<T>(gValue);
  const int64_t padded = packedDepth(s.size, T{});
  const auto count = static_cast<int64_t>(layout.segments.size());
  // Gradients of every key that a segment sees, summed over its queries; added up over segments afterwards, in order.
  std::vector<std::vector<float>> keyParts(count * s.keyHeads), valueParts(count * s.keyHeads);
  forUnits(count * s.keyHeads, [&](int64_t unit) {
    const int64_t index = count - 1 - unit / s.keyHeads, keyHead = unit % s.keyHeads;
    const auto& segment = layout.segments[index];
    const int64_t total = segment.total(), totalDepth = packedDepth(total, T{});
    auto &keyPart = keyParts[index * s.keyHeads + keyHead], &valuePart = valueParts[index * s.keyHeads + keyHead];
    keyPart.assign(total * s.size, 0.f);
    valuePart.assign(total * s.size, 0.f);
    std::vector<T> keys(total * padded), values(total * padded), turnedKeys(s.size * totalDepth);
    gather(key, segment, s.keyHeads, keyHead, s.size, padded, keys.data());
    gather(value, segment, s.keyHeads, keyHead, s.size, padded, values.data());
    for (int64_t d = 0; d < s.size; ++d) {
      for (int64_t i = 0; i < total; ++i) turnedKeys[d * totalDepth + i] = keys[i * padded + d];
      for (int64_t i = total; i < totalDepth; ++i) turnedKeys[d * totalDepth + i] = T{};
    }
    const int64_t widest = packedDepth(kQueryBlock, T{});
    std::vector<T> queries(widest * padded), outers(widest * padded), packedA(padded * widest), packedB(padded * widest);
    std::vector<T> probabilities(totalDepth * widest), gScores(totalDepth * widest), packedScores(totalDepth * widest);
    std::vector<float> scores(total * widest), gProbabilities(total * widest), turned(s.size * widest), sum(widest), delta(widest);
    for (int64_t from = 0; from < segment.length; from += kQueryBlock) {
      const int64_t size = std::min(kQueryBlock, segment.length - from), width = packedDepth(size, T{});
      const int64_t seen = segment.past + from + size;
      for (int64_t group = 0; group < s.groups; ++group) {
        const int64_t head = keyHead * s.groups + group;
        for (int64_t i = 0; i < width; ++i) {
          const int64_t at = ((segment.start + from + i) * s.heads + head) * s.size;
          for (int64_t d = 0; d < padded; ++d) {
            const bool real = i < size && d < s.size;
            queries[i * padded + d] = real ? query[at + d] : T{};
            outers[i * padded + d] = real ? outer[at + d] : T{};
          }
          if (i >= size) continue;
          sum[i] = sums[(segment.start + from + i) * s.heads + head];
          delta[i] = table<T>().dotRow(outer + at, result + at, s.size);
        }
        // Transposed scores and gradients of probabilities: [seen, width]
        packColumns(queries.data(), padded, width, s.size, packedA.data());
        packColumns(outers.data(), padded, width, s.size, packedB.data());
        multiply(seen, width, s.size, keys.data(), padded, packedA.data(), scores.data(), false);
        multiply(seen, width, s.size, values.data(), padded, packedB.data(), gProbabilities.data(), false);
        for (int64_t i = 0; i < seen; ++i) {
          const int64_t first = std::max<int64_t>(0, i - segment.past - from);
          const int64_t last = std::min(size, options.end(i, segment.total()) - segment.past - from);
          table<T>().softmaxColumn(scores.data() + i * width, gProbabilities.data() + i * width, sum.data(), delta.data(),
                                   probabilities.data() + i * width, gScores.data() + i * width, std::min(first, width),
                                   std::max(std::min(first, width), last), width, static_cast<float>(options.scale), static_cast<float>(options.softcap));
        }
        packRows(outers.data(), padded, width, s.size, packedB.data());
        multiply(seen, s.size, width, probabilities.data(), width, packedB.data(), valuePart.data(), true);
        packRows(queries.data(), padded, width, s.size, packedA.data());
        multiply(seen, s.size, width, gScores.data(), width, packedA.data(), keyPart.data(), true);
        packRows(gScores.data(), width, seen, width, packedScores.data());
        multiply(s.size, width, seen, turnedKeys.data(), totalDepth, packedScores.data(), turned.data(), false);
        for (int64_t i = 0; i < size; ++i) {
          T* to = toQuery + ((segment.start + from + i) * s.heads + head) * s.size;
          for (int64_t d = 0; d < s.size; ++d) to[d] = rows::narrowed<T>(turned[d * width + i]);
        }
      }
    }
  });
  // Every token's keys gather from its own segment and from all that continue it.
  std::vector<std::vector<std::pair<int64_t, int64_t>>> users(count);  // segment -> (user, offset of its keys there)
  for (int64_t user = 0; user < count; ++user) {
    int64_t offset = 0;
    for (const auto& run : layout.segments[user].keys) {
      for (int64_t owner = 0; owner <= user; ++owner)
        if (layout.segments[owner].start == run.start) users[owner].emplace_back(user, offset);
      offset += run.length;
    }
  }
  at::parallel_for(0, count * s.keyHeads, 1, [&](int64_t begin, int64_t end) {
    std::vector<float> total(s.size);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t owner = unit / s.keyHeads, keyHead = unit % s.keyHeads;
      const auto& segment = layout.segments[owner];
      const auto collect = [&](const std::vector<std::vector<float>>& parts, T* to) {
        for (int64_t i = 0; i < segment.length; ++i) {
          std::fill(total.begin(), total.end(), 0.f);
          for (const auto& [user, offset] : users[owner]) {
            const float* part = parts[user * s.keyHeads + keyHead].data() + (offset + i) * s.size;
            for (int64_t d = 0; d < s.size; ++d) total[d] += part[d];
          }
          table<T>().narrowRow(total.data(), to + ((segment.start + i) * s.keyHeads + keyHead) * s.size, s.size);
        }
      };
      collect(keyParts, toKey);
      collect(valueParts, toValue);
    }
  });
}

// Scores with the mask, [heads, length, total] in float32 or wider: the composed form, for other devices and types.
at::Tensor composedScores(const at::Tensor& q, const at::Tensor& k, const Layout::Segment& segment, const Options& options) {
  at::Tensor scores = at::matmul(q, k.transpose(1, 2)) * options.scale;
  if (options.softcap > 0) scores = at::tanh(scores / options.softcap) * options.softcap;
  const auto whole = at::TensorOptions().dtype(at::kLong).device(q.device());
  const at::Tensor places = at::arange(segment.past, segment.total(), whole).unsqueeze(1), keys = at::arange(segment.total(), whole).unsqueeze(0);
  at::Tensor hidden = keys > places;
  if (options.window > 0) hidden = at::logical_or(hidden, keys <= places - options.window);
  return scores.masked_fill(hidden, -INFINITY);
}

at::Tensor composed(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Layout& layout, const Options& options, const Sizes& s) {
  std::vector<at::Tensor> parts;
  const auto wide = wideType(q);
  for (const auto& segment : layout.segments) {
    std::vector<at::Tensor> keys, values;
    for (const auto& run : segment.keys) {
      keys.push_back(k.narrow(0, run.start, run.length));
      values.push_back(v.narrow(0, run.start, run.length));
    }
    const auto byHead = [&](const at::Tensor& x) { return x.to(wide).transpose(0, 1); };  // [heads, tokens, size]
    const auto shared = [&](const std::vector<at::Tensor>& list) { return byHead(at::cat(list)).repeat_interleave(s.groups, 0); };
    const at::Tensor scores = composedScores(byHead(q.narrow(0, segment.start, segment.length)), shared(keys), segment, options);
    parts.push_back(at::matmul(at::softmax(scores, -1), shared(values)).transpose(0, 1));
  }
  return at::cat(parts).to(q.scalar_type());
}

// Whether this processor has LibTorch's block product for the type: a trial tells.
template <typename T>
bool hasProduct() {
  static const bool found = [] {
    try {
      const std::vector<T> a(4), b(4);
      std::vector<float> c(4);
      multiply(2, 2, 2, a.data(), 2, b.data(), c.data(), false);
      at::native::cpublas::brgemm_release();
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }();
  return found;
}

bool fused(const at::Tensor& q) {
  if (!q.is_cpu()) return false;
  if (q.scalar_type() == at::kFloat) return hasProduct<float>();
  return q.scalar_type() == at::kBFloat16 && hasProduct<rows::bf16>();
}

template <typename Body>
void withFusedType(const at::Tensor& q, Body body) {
  if (q.scalar_type() == at::kFloat) body(float{});
  else body(rows::bf16{});
}

class SegmentAttention : public torch::autograd::Function<SegmentAttention> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                            std::vector<int64_t> segments, double scale, int64_t window, double softcap) {
    const at::Tensor q = query.contiguous(), k = key.contiguous(), v = value.contiguous();
    const Sizes s = sizesOf(q, k, v);
    const Layout layout(segments, s.tokens);
    at::Tensor out = at::empty(q.sizes(), q.options()), logsumexp = at::empty({s.tokens, s.heads}, q.options().dtype(at::kFloat));
    withFusedType(q, [&](auto sample) { forwardUnits<decltype(sample)>(q, k, v, layout, {scale, window, softcap}, s, out, logsumexp); });
    ctx->save_for_backward({q, k, v, out, logsumexp});
    ctx->saved_data["segments"] = segments;
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["window"] = window;
    ctx->saved_data["softcap"] = softcap;
    return out;
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &q = saved[0], &k = saved[1], &v = saved[2], &out = saved[3], &logsumexp = saved[4];
    const Sizes s = sizesOf(q, k, v);
    const Layout layout(ctx->saved_data["segments"].toIntVector(), s.tokens);
    const Options options = {ctx->saved_data["scale"].toDouble(), ctx->saved_data["window"].toInt(), ctx->saved_data["softcap"].toDouble()};
    at::Tensor gQuery = at::empty(q.sizes(), q.options()), gKey = at::empty(k.sizes(), k.options()), gValue = at::empty(v.sizes(), v.options());
    const at::Tensor g = outer[0].contiguous();
    withFusedType(q, [&](auto sample) {
      backwardUnits<decltype(sample)>(g, q, k, v, out, logsumexp, layout, options, s, gQuery, gKey, gValue);
    });
    return {gQuery, gKey, gValue, at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, Ints segments, double scale, int64_t window, double softcap) {
  if (fused(q)) return SegmentAttention::apply(q, k, v, segments.vec(), scale, window, softcap);
  const Sizes s = sizesOf(q, k, v);
  return composed(q, k, v, Layout(segments, s.tokens), {scale, window, softcap}, s);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("segment_attention(Tensor query, Tensor key, Tensor value, int[] segments, float scale, int window=0, float softcap=0.0) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeImplicitAutograd, library) { library.impl("segment_attention", attend); }

}  // namespace keel
