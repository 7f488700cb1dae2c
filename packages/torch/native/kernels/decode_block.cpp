// keel::decode_block: a whole block of a decoder for one new token of each sequence, while text is generated; bfloat16 on
// the CPU. Beside few rows the weights' way from memory is the cost, and what an operator call costs would come on top of
// it a dozen times a layer. Between its products everything stays in float32.
#include <torch/library.h>

#include <string>
#include <vector>

#include "cached_keys.h"
#include "small_linear.h"

namespace keel {
namespace {

using OptionalTensor = std::optional<at::Tensor>;
using rows::bf16;

struct Products {
  const bf16* weight;
  int64_t features;
  const float* bias;
};

// Of several matrices over one input: to[row * stride + place], the matrices' features one after the other.
void multiply(const bf16* x, int64_t count, int64_t inner, const std::vector<Products>& matrices, float* to, int64_t stride) {
  at::parallel_for(0, stride, columnGrain(count, inner), [&](int64_t begin, int64_t end) {
    int64_t place = 0;
    for (const Products& one : matrices) {
      const int64_t first = std::max(begin, place), last = std::min(end, place + one.features);
      if (first < last) {
        rows::decodeLoops().smallProduct(x, one.weight, to + place, count, inner, first - place, last - place, stride);
        if (one.bias != nullptr)
          for (int64_t row = 0; row < count; ++row)
            rows::decodeLoops().addRow(one.bias + first - place, to + row * stride + first, last - first);
      }
      place += one.features;
    }
  });
}

class Block {
 public:
  Block(int64_t count, int64_t hidden, double epsilon, double offset) : count_(count), hidden_(hidden), epsilon_(epsilon), offset_(offset) {}

  // A matrix [features, inner] that lies as the loops read it.
  const bf16* matrix(const at::Tensor& weight, int64_t inner, const char* name) {
    TORCH_CHECK(weight.is_cpu() && weight.scalar_type() == at::kBFloat16 && weight.dim() == 2 && weight.size(1) == inner,
                "decode_block: ", name, " must be bfloat16 [features, ", inner, "] on the CPU, got ", weight.sizes(), " ", weight.scalar_type());
    return static_cast<const bf16*>(held(weight.contiguous()).const_data_ptr());
  }
  const bf16* vector(const at::Tensor& weight, int64_t size, const char* name) {
    TORCH_CHECK(weight.is_cpu() && weight.dim() == 1 && weight.size(0) == size, "decode_block: ", name, " must be [", size, "] on the CPU, got ", weight.sizes());
    return static_cast<const bf16*>(held(weight.to(at::kBFloat16).contiguous()).const_data_ptr());
  }
  const bf16* vector(const OptionalTensor& weight, int64_t size, const char* name) {
    return weight.has_value() ? vector(*weight, size, name) : nullptr;
  }
  const float* wide(const at::Tensor& values) { return held(values.to(at::kFloat).contiguous()).const_data_ptr<float>(); }
  template <typename T>
  T* space(int64_t elements) {
    return static_cast<T*>(held(at::empty({elements}, std::is_same_v<T, bf16> ? at::kBFloat16 : at::kFloat)).mutable_data_ptr());
  }

  template <typename Body>
  void eachRow(Body body) const {
    at::parallel_for(0, count_, grain(8 * hidden_), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) body(row, row * hidden_);
    });
  }
  // state = state + update, through a norm of its own where there is one
  void add(float* update, const bf16* norm, float* state) const {
    if (norm != nullptr) rows::decodeLoops().normRow(update, norm, update, hidden_, epsilon_, offset_);
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

// Queries and keys get their norms and their rotation, keys and values go into the cache, and every head attends.
struct Heads {
  int64_t heads, keyValueHeads, size, half;
  const bf16 *queryNorm, *keyNorm;
  const float *cosine, *sine;
  double epsilon, offset, scale, softcap;

  void turn(float* x, int64_t row, int64_t count, const bf16* norm, float* aside, bf16* to) const {
    if (norm != nullptr)
      for (int64_t h = 0; h < count; ++h) rows::decodeLoops().normRow(x + h * size, norm, x + h * size, size, epsilon, offset);
    const float* from = x;
    if (half > 0) {
      table<float>().rotate(x, cosine + row * half, sine + row * half, aside, 1, count, size, half, 1);
      from = aside;
    }
    table<bf16>().narrowRow(from, to, count * size);
  }

  void attend(float* projected, const CachedKeys<bf16>& cache, bf16* keys, bf16* values, bf16* attended, int64_t count) const {
    const int64_t group = heads / keyValueHeads, width = (heads + 2 * keyValueHeads) * size;
    const int64_t products = std::max<int64_t>(1, cache.total() / std::max<int64_t>(1, count) * group * size * 2);
    at::parallel_for(0, count * keyValueHeads, std::max<int64_t>(1, 32768 / products), [&](int64_t begin, int64_t end) {
      std::vector<float> scratch(rows::attendScratch(cache.longest(), group, size)), aside(group * size);
      std::vector<bf16> query(group * size);
      for (int64_t task = begin; task < end; ++task) {
        const int64_t row = task / keyValueHeads, head = task % keyValueHeads;
        float* const own = projected + row * width;
        float* const key = own + (heads + head) * size;
        const int64_t place = cache.last(row) + head * size;
        turn(own + head * group * size, row, group, queryNorm, aside.data(), query.data());
        turn(key, row, 1, keyNorm, aside.data(), keys + place);
        table<bf16>().narrowRow(key + keyValueHeads * size, values + place, size);
        rows::Reach<bf16> runs[2];
        cache.see(row, head, runs);
        rows::decodeLoops().attendBf16(query.data(), attended + (row * heads + head * group) * size, runs, group, size, cache.stride(), scale,
                                       softcap, scratch.data());
      }
    });
  }
};

at::Tensor decodeBlock(const at::Tensor& state, const at::Tensor& attentionNorm, at::TensorList queryKeyValue,
                       at::TensorList queryKeyValueBias, const OptionalTensor& queryNorm, const OptionalTensor& keyNorm,
                       const at::Tensor& attentionOutput, const OptionalTensor& postAttentionNorm, const at::Tensor& mlpNorm,
                       at::TensorList gateUp, const at::Tensor& down, const OptionalTensor& postMlpNorm,
                       const OptionalTensor& cosine, const OptionalTensor& sine, const at::Tensor& keys, const at::Tensor& values,
                       const at::Tensor& rowIndices, const at::Tensor& lengths, const at::Tensor& prefixKeys,
                       const at::Tensor& prefixValues, const at::Tensor& prefixStarts, const at::Tensor& prefixLengths, double scale,
                       double softcap, int64_t window, double epsilon, double offset, c10::string_view activation) {
  TORCH_CHECK(state.is_cpu() && state.dim() == 2 && state.scalar_type() == at::kBFloat16,
              "decode_block takes a state [B, hidden] in bfloat16 on the CPU, got ", state.sizes(), " ", state.scalar_type());
  TORCH_CHECK(activation == "silu" || activation == "gelu_tanh", "decode_block: there is no activation ", activation);
  TORCH_CHECK(keys.dim() == 4 && values.sizes() == keys.sizes() && keys.is_contiguous() && values.is_contiguous() &&
                  prefixKeys.dim() == 3 && prefixValues.sizes() == prefixKeys.sizes(),
              "decode_block takes keys and values [R, capacity, keyValueHeads, size] and [P, keyValueHeads, size], got ",
              keys.sizes(), ", ", values.sizes(), ", ", prefixKeys.sizes(), ", ", prefixValues.sizes());
  const int64_t count = state.size(0), hidden = state.size(1), keyValueHeads = keys.size(2), size = keys.size(3);
  TORCH_CHECK(prefixKeys.size(1) == keyValueHeads && prefixKeys.size(2) == size, "decode_block: the prefix must have the cache's heads, got ",
              prefixKeys.sizes(), " and ", keys.sizes());
  for (const at::Tensor& one : {keys, values, prefixKeys, prefixValues})
    TORCH_CHECK(one.is_cpu() && one.scalar_type() == at::kBFloat16, "decode_block: the cache must be bfloat16 on the CPU");
  for (const at::Tensor& one : {rowIndices, lengths, prefixStarts, prefixLengths})
    TORCH_CHECK(one.is_cpu() && one.scalar_type() == at::kLong && one.dim() == 1 && one.size(0) == count && one.is_contiguous(),
                "decode_block: rows, lengths and the prefix's starts and lengths must be int64 [", count, "], got ", one.sizes());
  const int64_t attendedSize = attentionOutput.dim() == 2 ? attentionOutput.size(1) : 0, heads = attendedSize / size;
  const int64_t width = attendedSize + 2 * keyValueHeads * size, intermediate = down.dim() == 2 ? down.size(1) : 0;
  TORCH_CHECK(heads * size == attendedSize && heads > 0 && heads % keyValueHeads == 0, "decode_block: an output matrix ", attentionOutput.sizes(),
              " does not fit ", keyValueHeads, " key-value heads of size ", size);
  const auto features = [](at::TensorList matrices) {
    int64_t sum = 0;
    for (const at::Tensor& one : matrices) sum += one.size(0);
    return sum;
  };
  TORCH_CHECK(features(queryKeyValue) == width, "decode_block: query, key and value have ", features(queryKeyValue), " features, and ", width, " are wanted");
  TORCH_CHECK(features(gateUp) == 2 * intermediate, "decode_block: gate and up have ", features(gateUp), " features, and ", 2 * intermediate, " are wanted");
  TORCH_CHECK(attentionOutput.size(0) == hidden && down.size(0) == hidden, "decode_block: output and down must give ", hidden, " features");
  TORCH_CHECK(queryKeyValueBias.empty() || queryKeyValueBias.size() == queryKeyValue.size(), "decode_block: every projection or none has a bias");
  TORCH_CHECK(cosine.has_value() == sine.has_value(), "decode_block: cosine and sine come together");

  Block block(count, hidden, epsilon, offset);
  const CachedKeys<bf16> cache("decode_block", {keys, values, rowIndices, lengths, prefixKeys, prefixValues, prefixStarts, prefixLengths, window});
  for (int64_t b = 0; b < count; ++b)
    TORCH_CHECK(lengths.const_data_ptr<int64_t>()[b] > 0, "decode_block: sequence ", b, " has no place for its new token");
  const auto list = [&](at::TensorList matrices, at::TensorList biases, const char* name) {
    std::vector<Products> all;
    for (size_t i = 0; i < matrices.size(); ++i)
      all.push_back({block.matrix(matrices[i], hidden, name), matrices[i].size(0), biases.empty() ? nullptr : block.wide(biases[i])});
    return all;
  };
  int64_t half = 0;
  Heads attention{heads, keyValueHeads, size, 0, block.vector(queryNorm, size, "query_norm"), block.vector(keyNorm, size, "key_norm"),
                  nullptr, nullptr, epsilon, offset, scale, softcap};
  if (cosine.has_value()) {
    half = cosine->size(-1);
    TORCH_CHECK(cosine->dim() == 2 && cosine->size(0) == count && cosine->sizes() == sine->sizes() && 2 * half <= size,
                "decode_block: cosine and sine must be [", count, ", half], got ", cosine->sizes(), ", ", sine->sizes());
    attention.half = half;
    attention.cosine = block.wide(*cosine);
    attention.sine = block.wide(*sine);
  }
  const std::vector<Products> projections = list(queryKeyValue, queryKeyValueBias, "query_key_value"), gates = list(gateUp, {}, "gate_up");
  const bf16* const firstNorm = block.vector(attentionNorm, hidden, "attention_norm");
  const bf16* const secondNorm = block.vector(mlpNorm, hidden, "mlp_norm");
  const bf16* const afterAttention = block.vector(postAttentionNorm, hidden, "post_attention_norm");
  const bf16* const afterMlp = block.vector(postMlpNorm, hidden, "post_mlp_norm");
  const Products output{block.matrix(attentionOutput, attendedSize, "attention_output"), hidden, nullptr};
  const Products lowering{block.matrix(down, intermediate, "down"), hidden, nullptr};

  const at::Tensor from = state.contiguous();
  at::Tensor result = at::empty_like(from);
  const bf16* const input = readOnly<bf16>(from);
  bf16* const to = writable<bf16>(result);
  float* const wide = block.space<float>(count * hidden);             // the state
  float* const update = block.space<float>(count * hidden);
  float* const sums = block.space<float>(count * std::max(width, 2 * intermediate));
  bf16* const normed = block.space<bf16>(count * hidden);
  bf16* const narrow = block.space<bf16>(count * std::max(attendedSize, intermediate));

  block.eachRow([&](int64_t, int64_t at) {
    rows::decodeLoops().widenRow(input + at, wide + at, hidden);
    block.normalise(wide + at, firstNorm, normed + at);
  });
  multiply(normed, count, hidden, projections, sums, width);
  attention.attend(sums, cache, writable<bf16>(keys), writable<bf16>(values), narrow, count);
  multiply(narrow, count, attendedSize, {output}, update, hidden);
  block.eachRow([&](int64_t, int64_t at) {
    block.add(update + at, afterAttention, wide + at);
    block.normalise(wide + at, secondNorm, normed + at);
  });
  // A thread multiplies the same features of gate and up, and has both for the activation.
  const auto kind = activation == "silu" ? rows::Activation::silu : rows::Activation::geluTanh;
  const bf16* const gate = gates[0].weight;
  const bf16* const up = gates.size() == 1 ? gate + intermediate * hidden : gates[1].weight;
  at::parallel_for(0, intermediate, columnGrain(2 * count, hidden), [&](int64_t begin, int64_t end) {
    constexpr int64_t some = 64;
    for (int64_t n = begin; n < end; n += some) {
      const int64_t columns = std::min(some, end - n);
      rows::decodeLoops().smallProduct(normed, gate, sums, count, hidden, n, n + columns, 2 * intermediate);
      rows::decodeLoops().smallProduct(normed, up, sums + intermediate, count, hidden, n, n + columns, 2 * intermediate);
      for (int64_t row = 0; row < count; ++row) {
        const float* const own = sums + row * 2 * intermediate + n;
        rows::decodeLoops().gateRow(own, own + intermediate, narrow + row * intermediate + n, columns, kind);
      }
    }
  });
  multiply(narrow, count, intermediate, {lowering}, update, hidden);
  block.eachRow([&](int64_t, int64_t at) {
    block.add(update + at, afterMlp, wide + at);
    table<bf16>().narrowRow(wide + at, to + at, hidden);
  });
  return result;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "decode_block(Tensor state, Tensor attention_norm, Tensor[] query_key_value, Tensor[] query_key_value_bias, "
      "Tensor? query_norm, Tensor? key_norm, Tensor attention_output, Tensor? post_attention_norm, Tensor mlp_norm, "
      "Tensor[] gate_up, Tensor down, Tensor? post_mlp_norm, Tensor? cosine, Tensor? sine, Tensor(a!) keys, Tensor(b!) values, "
      "Tensor rows, Tensor lengths, Tensor prefix_keys, Tensor prefix_values, Tensor prefix_starts, Tensor prefix_lengths, "
      "float scale, float softcap, int window, float epsilon, float offset, str activation) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CPU, library) { library.impl("decode_block", decodeBlock); }

}  // namespace keel
