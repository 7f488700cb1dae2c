// keel::decode_block: a whole decoder block for one new token of each sequence, for generation;
// bfloat16 on the CPU. With few rows, reading the weights from memory dominates the cost, and
// separate operators would add a dozen calls per layer. Between its products everything stays in
// float32.
#include <torch/library.h>

#include <string>
#include <vector>

#include "cached_keys.h"
#include "small_linear.h"

namespace keel {
namespace {

using OptionalTensor = std::optional<at::Tensor>;
using rows::bf16;

// An adapter's change of a matrix: x A^T B^T, with the scale in B. a [rank, inner], b [features,
// rank]; null: no adapter.
struct LowRank {
  const bf16 *a = nullptr, *b = nullptr;
  int64_t rank = 0;
  const bf16* lowered = nullptr;  // x A^T, from `arrange`
};

// Rows as they are and from `arrange`.
struct Input {
  const bf16 *plain, *turned;
};

struct Products {
  SmallFactor matrix;
  int64_t features;
  const float* bias;
  LowRank change = {};

  // to[row * stride + n] of the features [begin, end)
  void multiply(Input x, int64_t count, int64_t begin, int64_t end, float* to,
                int64_t stride) const {
    const SmallFactor terms[] = {matrix.times(x.plain, x.turned),
                                 {nullptr, change.lowered, change.b, change.rank}};
    smallProduct(terms, change.b == nullptr ? 1 : 2, count, begin, end, to, stride);
    if (bias == nullptr) return;
    for (int64_t row = 0; row < count; ++row)
      rows::decodeLoops().addRow(bias + begin, to + row * stride + begin, end - begin);
  }
};

// Multiplies several matrices by one input from `arrange`: to[row * stride + place], with the
// matrices' features one after the other.
void multiply(Input x, int64_t count, int64_t inner, const std::vector<Products>& matrices,
              float* to, int64_t stride) {
  forFeatures(stride, count, inner, [&](int64_t begin, int64_t end) {
    int64_t place = 0;
    for (const Products& one : matrices) {
      const int64_t first = std::max(begin, place), last = std::min(end, place + one.features);
      if (first < last)
        one.multiply(x, count, first - place, last - place, to + place, stride);
      place += one.features;
    }
  });
}

// All x A^T of the adapters on several matrices with the same input, in one product, rounded as
// separate layers would.
class Lowering {
 public:
  explicit Lowering(int64_t count) : count_(count) {}

  void add(std::vector<Products>& matrices, Input x, int64_t inner) {
    std::vector<Products> factors;
    int64_t ranks = 0;
    for (const Products& one : matrices) {
      if (one.change.a != nullptr)
        factors.push_back({{nullptr, nullptr, one.change.a, inner}, one.change.rank, nullptr});
      ranks += one.change.rank;
    }
    if (ranks == 0) return;
    sums_.resize(count_ * ranks);
    multiply(x, count_, inner, factors, sums_.data(), ranks);
    int64_t elements = 0, place = 0;
    for (const Products& one : factors) elements += rows::arrangedSize(count_, one.features);
    turned_.resize(elements);
    narrow_.resize(count_ * ranks);
    bf16 *to = turned_.data(), *narrow = narrow_.data();
    for (Products& one : matrices) {
      const int64_t rank = one.change.rank;
      if (rank == 0) continue;
      for (int64_t row = 0; row < count_; ++row)
        table<bf16>().narrowRow(sums_.data() + row * ranks + place, narrow + row * rank, rank);
      one.change.lowered = rows::decodeLoops().arrange(narrow, count_, rank, to);
      to += rows::arrangedSize(count_, rank);
      narrow += count_ * rank;
      place += rank;
    }
  }

 private:
  const int64_t count_;
  std::vector<float> sums_;
  std::vector<bf16> turned_, narrow_;
};

class Block {
 public:
  Block(int64_t count, int64_t hidden, double epsilon, double offset)
      : count_(count), hidden_(hidden), epsilon_(epsilon), offset_(offset) {}

  // A matrix [features, inner] in the layout that the loops read.
  SmallFactor factor(const at::Tensor& weight, int64_t inner, const char* name) {
    TORCH_CHECK(weight.is_cpu() && weight.scalar_type() == at::kBFloat16 && weight.dim() == 2 &&
                    weight.size(1) == inner,
                "decode_block: ", name, " must be bfloat16 [features, ", inner,
                "] on the CPU, got ", weight.sizes(), " ", weight.scalar_type());
    return SmallFactor::of(held(isQuantised(weight) ? weight : weight.contiguous()));
  }
  const bf16* matrix(const at::Tensor& weight, int64_t inner, const char* name) {
    const bf16* elements = factor(weight, inner, name).weight;
    TORCH_CHECK(elements != nullptr, "decode_block: ", name, " cannot be quantised");
    return elements;
  }
  const bf16* vector(const at::Tensor& weight, int64_t size, const char* name) {
    TORCH_CHECK(weight.is_cpu() && weight.dim() == 1 && weight.size(0) == size,
                "decode_block: ", name, " must be [", size, "] on the CPU, got ", weight.sizes());
    return static_cast<const bf16*>(held(weight.to(at::kBFloat16).contiguous()).const_data_ptr());
  }
  const bf16* vector(const OptionalTensor& weight, int64_t size, const char* name) {
    return weight.has_value() ? vector(*weight, size, name) : nullptr;
  }
  const float* wide(const at::Tensor& values) {
    return held(values.to(at::kFloat).contiguous()).const_data_ptr<float>();
  }
  template <typename T>
  T* space(int64_t elements) {
    return static_cast<T*>(
        held(at::empty({elements}, std::is_same_v<T, bf16> ? at::kBFloat16 : at::kFloat))
            .mutable_data_ptr());
  }

  template <typename Body>
  void eachRow(Body body) const {
    at::parallel_for(0, count_, grain(8 * hidden_), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) body(row, row * hidden_);
    });
  }
  // state = state + update, with the update's own norm if there is one
  void add(float* update, const bf16* norm, float* state) const {
    if (norm != nullptr)
      rows::decodeLoops().normRow(update, norm, update, hidden_, epsilon_, offset_);
    rows::decodeLoops().addRow(update, state, hidden_);
  }
  void normalise(const float* state, const bf16* norm, bf16* to) const {
    rows::decodeLoops().normRowNarrow(state, norm, to, hidden_, epsilon_, offset_);
  }

 private:
  const at::Tensor& held(at::Tensor tensor) {
    held_.push_back(std::move(tensor));
    return held_.back();
  }

  const int64_t count_, hidden_;
  const double epsilon_, offset_;
  std::vector<at::Tensor> held_;
};

// Applies norms and rotation to queries and keys, puts keys and values into the cache, and computes
// attention for every head.
struct Heads {
  int64_t heads, keyValueHeads, size, half;
  const bf16 *queryNorm, *keyNorm;
  const float *cosine, *sine;
  double epsilon, offset, scale, softcap;

  void turn(float* x, int64_t row, int64_t count, const bf16* norm, float* aside, bf16* to) const {
    if (norm != nullptr)
      for (int64_t h = 0; h < count; ++h)
        rows::decodeLoops().normRow(x + h * size, norm, x + h * size, size, epsilon, offset);
    const float* from = x;
    if (half > 0) {
      table<float>().rotate(x, cosine + row * half, sine + row * half, aside, 1, count, size, half,
                            1);
      from = aside;
    }
    table<bf16>().narrowRow(from, to, count * size);
  }

  void attend(float* projected, const CachedKeys<bf16>& cache, bf16* keys, bf16* values,
              bf16* attended, int64_t count) const {
    const int64_t group = heads / keyValueHeads, width = (heads + 2 * keyValueHeads) * size;
    const int64_t products =
        std::max<int64_t>(1, cache.total() / std::max<int64_t>(1, count) * group * size * 2);
    at::parallel_for(
        0, count * keyValueHeads, std::max<int64_t>(1, 32768 / products),
        [&](int64_t begin, int64_t end) {
          std::vector<float> scratch(rows::attendScratch(cache.longest(), group, size)),
              aside(group * size);
          std::vector<bf16> query(group * size);
          for (int64_t task = begin; task < end; ++task) {
            const int64_t row = task / keyValueHeads, head = task % keyValueHeads;
            float* const own = projected + row * width;
            float* const key = own + (heads + head) * size;
            const int64_t place = cache.last(row) + head * size;
            turn(own + head * group * size, row, group, queryNorm, aside.data(), query.data());
            turn(key, row, 1, keyNorm, aside.data(), keys + place);
            table<bf16>().narrowRow(key + keyValueHeads * size, values + place, size);
            rows::Reach<bf16> runs[2], next[2];
            cache.see(row, head, runs);
            cache.seeNext(row, count, head, next);
            rows::decodeLoops().attendBf16(
                query.data(), attended + (row * heads + head * group) * size, runs, next, group,
                size, cache.stride(), scale, softcap, scratch.data());
          }
        });
  }
};

at::Tensor decodeBlock(const at::Tensor& state, const at::Tensor& attentionNorm,
                       at::TensorList queryKeyValue, at::TensorList queryKeyValueBias,
                       const OptionalTensor& queryNorm, const OptionalTensor& keyNorm,
                       const at::Tensor& attentionOutput, const OptionalTensor& postAttentionNorm,
                       const at::Tensor& mlpNorm, at::TensorList gateUp, const at::Tensor& down,
                       const OptionalTensor& postMlpNorm, const OptionalTensor& cosine,
                       const OptionalTensor& sine, const at::Tensor& keys, const at::Tensor& values,
                       const at::Tensor& rowIndices, const at::Tensor& lengths,
                       const at::Tensor& prefixKeys, const at::Tensor& prefixValues,
                       const at::Tensor& prefixStarts, const at::Tensor& prefixLengths,
                       at::TensorList lowRank, double scale, double softcap, int64_t window,
                       double epsilon, double offset, c10::string_view activation) {
  TORCH_CHECK(state.is_cpu() && state.dim() == 2 && state.scalar_type() == at::kBFloat16,
              "decode_block takes a state [B, hidden] in bfloat16 on the CPU, got ", state.sizes(),
              " ", state.scalar_type());
  TORCH_CHECK(activation == "silu" || activation == "gelu_tanh",
              "decode_block: unknown activation ", activation);
  TORCH_CHECK(keys.dim() == 4 && values.sizes() == keys.sizes() && keys.is_contiguous() &&
                  values.is_contiguous() && prefixKeys.dim() == 3 &&
                  prefixValues.sizes() == prefixKeys.sizes(),
              "decode_block takes keys and values [R, capacity, keyValueHeads, size] and [P, "
              "keyValueHeads, size], got ",
              keys.sizes(), ", ", values.sizes(), ", ", prefixKeys.sizes(), ", ",
              prefixValues.sizes());
  const int64_t count = state.size(0), hidden = state.size(1), keyValueHeads = keys.size(2),
                size = keys.size(3);
  TORCH_CHECK(prefixKeys.size(1) == keyValueHeads && prefixKeys.size(2) == size,
              "decode_block: the prefix must have the cache's heads, got ", prefixKeys.sizes(),
              " and ", keys.sizes());
  for (const at::Tensor& one : {keys, values, prefixKeys, prefixValues})
    TORCH_CHECK(one.is_cpu() && one.scalar_type() == at::kBFloat16,
                "decode_block: the cache must be bfloat16 on the CPU");
  for (const at::Tensor& one : {rowIndices, lengths, prefixStarts, prefixLengths})
    TORCH_CHECK(one.is_cpu() && one.scalar_type() == at::kLong && one.dim() == 1 &&
                    one.size(0) == count && one.is_contiguous(),
                "decode_block: rows, lengths and the prefix's starts and lengths must be int64 [",
                count, "], got ", one.sizes());
  const int64_t attendedSize = attentionOutput.dim() == 2 ? attentionOutput.size(1) : 0,
                heads = attendedSize / size;
  const int64_t width = attendedSize + 2 * keyValueHeads * size,
                intermediate = down.dim() == 2 ? down.size(1) : 0;
  TORCH_CHECK(heads * size == attendedSize && heads > 0 && heads % keyValueHeads == 0,
              "decode_block: an output matrix ", attentionOutput.sizes(), " does not fit ",
              keyValueHeads, " key-value heads of size ", size);
  const auto features = [](at::TensorList matrices) {
    int64_t sum = 0;
    for (const at::Tensor& one : matrices) sum += one.size(0);
    return sum;
  };
  TORCH_CHECK(features(queryKeyValue) == width, "decode_block: query, key and value have ",
              features(queryKeyValue), " features, expected ", width);
  TORCH_CHECK(features(gateUp) == 2 * intermediate, "decode_block: gate and up have ",
              features(gateUp), " features, expected ", 2 * intermediate);
  TORCH_CHECK(attentionOutput.size(0) == hidden && down.size(0) == hidden,
              "decode_block: output and down must give ", hidden, " features");
  TORCH_CHECK(queryKeyValueBias.empty() || queryKeyValueBias.size() == queryKeyValue.size(),
              "decode_block: either all projections must have a bias, or none");
  TORCH_CHECK(cosine.has_value() == sine.has_value(),
              "decode_block: cosine and sine must be given together");

  Block block(count, hidden, epsilon, offset);
  const CachedKeys<bf16> cache("decode_block", {keys, values, rowIndices, lengths, prefixKeys,
                                                prefixValues, prefixStarts, prefixLengths, window});
  for (int64_t b = 0; b < count; ++b)
    TORCH_CHECK(lengths.const_data_ptr<int64_t>()[b] > 0, "decode_block: sequence ", b,
                " has no space for its new token");
  // Adapter factors are in the order of the matrices, two for each; they are empty for matrices
  // without an adapter.
  TORCH_CHECK(lowRank.empty() || lowRank.size() == 2 * (queryKeyValue.size() + gateUp.size() + 2),
              "decode_block: low_rank has ", lowRank.size(),
              " factors, expected two for each matrix or none");
  size_t factor = 0;
  const auto one = [&](const at::Tensor& matrix, int64_t inner, const float* bias,
                       const char* name) {
    Products made{block.factor(matrix, inner, name), matrix.size(0), bias};
    if (lowRank.empty()) return made;
    const at::Tensor &a = lowRank[factor], &b = lowRank[factor + 1];
    factor += 2;
    if (a.numel() == 0) return made;
    TORCH_CHECK(b.dim() == 2 && b.size(0) == matrix.size(0), "decode_block: the adapter of ", name,
                " must give ", matrix.size(0), " features, got ", b.sizes());
    made.change = {block.matrix(a, inner, name), block.matrix(b, a.size(0), name), a.size(0)};
    return made;
  };
  const auto list = [&](at::TensorList matrices, at::TensorList biases, const char* name) {
    std::vector<Products> all;
    for (size_t i = 0; i < matrices.size(); ++i)
      all.push_back(
          one(matrices[i], hidden, biases.empty() ? nullptr : block.wide(biases[i]), name));
    return all;
  };
  int64_t half = 0;
  Heads attention{heads,
                  keyValueHeads,
                  size,
                  0,
                  block.vector(queryNorm, size, "query_norm"),
                  block.vector(keyNorm, size, "key_norm"),
                  nullptr,
                  nullptr,
                  epsilon,
                  offset,
                  scale,
                  softcap};
  if (cosine.has_value()) {
    half = cosine->size(-1);
    TORCH_CHECK(cosine->dim() == 2 && cosine->size(0) == count &&
                    cosine->sizes() == sine->sizes() && 2 * half <= size,
                "decode_block: cosine and sine must be [", count, ", half], got ", cosine->sizes(),
                ", ", sine->sizes());
    attention.half = half;
    attention.cosine = block.wide(*cosine);
    attention.sine = block.wide(*sine);
  }
  std::vector<Products> projections = list(queryKeyValue, queryKeyValueBias, "query_key_value");
  std::vector<Products> output{one(attentionOutput, attendedSize, nullptr, "attention_output")};
  std::vector<Products> gates = list(gateUp, {}, "gate_up");
  std::vector<Products> lowering{one(down, intermediate, nullptr, "down")};
  const bf16* const firstNorm = block.vector(attentionNorm, hidden, "attention_norm");
  const bf16* const secondNorm = block.vector(mlpNorm, hidden, "mlp_norm");
  const bf16* const afterAttention = block.vector(postAttentionNorm, hidden, "post_attention_norm");
  const bf16* const afterMlp = block.vector(postMlpNorm, hidden, "post_mlp_norm");

  const at::Tensor from = state.contiguous();
  at::Tensor result = at::empty_like(from);
  const bf16* const input = readOnly<bf16>(from);
  bf16* const to = writable<bf16>(result);
  float* const wide = block.space<float>(count * hidden);  // the state
  float* const update = block.space<float>(count * hidden);
  float* const sums = block.space<float>(count * std::max(width, 2 * intermediate));
  bf16* const normed = block.space<bf16>(count * hidden);
  bf16* const narrow = block.space<bf16>(count * std::max(attendedSize, intermediate));
  bf16* const turned =
      block.space<bf16>(rows::arrangedSize(count, std::max({hidden, attendedSize, intermediate})));

  block.eachRow([&](int64_t, int64_t at) {
    rows::decodeLoops().widenRow(input + at, wide + at, hidden);
    block.normalise(wide + at, firstNorm, normed + at);
  });
  const auto arrange = [&](const bf16* x, int64_t inner) -> Input {
    return {x, rows::decodeLoops().arrange(x, count, inner, turned)};
  };
  Lowering adapters(count);
  const auto multiplied = [&](const bf16* x, int64_t inner, std::vector<Products>& matrices,
                              float* sums, int64_t stride) {
    const Input own = arrange(x, inner);
    adapters.add(matrices, own, inner);
    multiply(own, count, inner, matrices, sums, stride);
  };
  multiplied(normed, hidden, projections, sums, width);
  attention.attend(sums, cache, writable<bf16>(keys), writable<bf16>(values), narrow, count);
  multiplied(narrow, attendedSize, output, update, hidden);
  block.eachRow([&](int64_t, int64_t at) {
    block.add(update + at, afterAttention, wide + at);
    block.normalise(wide + at, secondNorm, normed + at);
  });
  // A thread computes the same features of gate and up, and so has both for the activation.
  const auto kind = activation == "silu" ? rows::Activation::silu : rows::Activation::geluTanh;
  const Input middle = arrange(normed, hidden);
  adapters.add(gates, middle, hidden);
  const Products& gate = gates.front();
  Products up = gates.back();
  if (gates.size() == 1) {
    if (up.matrix.weight != nullptr) up.matrix.weight += intermediate * hidden;
    up.matrix.start += intermediate;
    up.change.b += intermediate * up.change.rank;
  }
  forFeatures(intermediate, count, 2 * hidden, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n += kFeatures) {
      const int64_t columns = std::min(kFeatures, end - n);
      gate.multiply(middle, count, n, n + columns, sums, 2 * intermediate);
      up.multiply(middle, count, n, n + columns, sums + intermediate, 2 * intermediate);
      for (int64_t row = 0; row < count; ++row) {
        const float* const own = sums + row * 2 * intermediate + n;
        rows::decodeLoops().gateRow(own, own + intermediate, narrow + row * intermediate + n,
                                    columns, kind);
      }
    }
  });
  multiplied(narrow, intermediate, lowering, update, hidden);
  block.eachRow([&](int64_t, int64_t at) {
    block.add(update + at, afterMlp, wide + at);
    table<bf16>().narrowRow(wide + at, to + at, hidden);
  });
  return result;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "decode_block(Tensor state, Tensor attention_norm, Tensor[] query_key_value, Tensor[] "
      "query_key_value_bias, "
      "Tensor? query_norm, Tensor? key_norm, Tensor attention_output, Tensor? post_attention_norm, "
      "Tensor mlp_norm, "
      "Tensor[] gate_up, Tensor down, Tensor? post_mlp_norm, Tensor? cosine, Tensor? sine, "
      "Tensor(a!) keys, Tensor(b!) values, "
      "Tensor rows, Tensor lengths, Tensor prefix_keys, Tensor prefix_values, Tensor "
      "prefix_starts, Tensor prefix_lengths, Tensor[] low_rank, "
      "float scale, float softcap, int window, float epsilon, float offset, str activation) -> "
      "Tensor");
}
TORCH_LIBRARY_IMPL(keel, CPU, library) { library.impl("decode_block", decodeBlock); }

}  // namespace keel
