// The layers of a decode_blocks call: their tensors, checked, as the loops read them.
#pragma once
#include <deque>
#include <string>

#include "heads.h"
#include "products.h"

namespace keel::decode {

using OptionalTensors = c10::List<std::optional<at::Tensor>>;
using OptionalTensor = std::optional<at::Tensor>;

// Tensors of a layer, in this order.
enum Weight : size_t {
  attentionNorm,
  query,  // or query, key and value in one, and then no key and value
  key,
  value,
  queryBias,
  keyBias,
  valueBias,
  queryNorm,
  keyNorm,
  attentionOutput,
  postAttentionNorm,
  mlpNorm,
  gate,  // or gate and up in one, and then no up
  up,
  down,
  postMlpNorm,
  kWeights
};
// Factors of a layer's adapters: two each for query, key, value, attentionOutput, gate, up, down.
constexpr size_t kFactors = 14;

struct Layer {
  const bf16 *attentionNorm, *postAttentionNorm, *mlpNorm, *postMlpNorm;
  Matrices projections, output, gates, down;
  // The halves of `gates`; the adapter of `up` is that of the last of `gates`.
  Products gate, up;
  Heads attention;
  CachedKeys<bf16> cache;
  bf16 *keys, *values;
};

// What all layers have in common.
struct Sizes {
  int64_t count, hidden, attended, intermediate;
  double epsilon, offset;
  rows::Activation activation;
};

// Checks a layer's tensors, and holds those that were converted.
class Reader {
 public:
  Reader(const OptionalTensors& weights, const OptionalTensors& factors)
      : weights_(weights), factors_(factors) {}

  void goTo(int64_t layer) { layer_ = layer; }

  OptionalTensor at(size_t which) const { return weights_.get(layer_ * kWeights + which); }
  at::Tensor needed(size_t which, const char* name) const {
    const OptionalTensor found = at(which);
    TORCH_CHECK(found.has_value(), where(name), " is missing");
    return *found;
  }

  // A vector [size]; null: none
  const bf16* vector(size_t which, int64_t size, const char* name) {
    const OptionalTensor weight = at(which);
    if (!weight.has_value()) return nullptr;
    TORCH_CHECK(weight->is_cpu() && weight->dim() == 1 && weight->size(0) == size, where(name),
                " must be [", size, "] on the CPU, got ", weight->sizes());
    return readOnly<bf16>(held(weight->to(at::kBFloat16).contiguous()));
  }
  const float* wide(const at::Tensor& values) {
    return held(values.to(at::kFloat).contiguous()).const_data_ptr<float>();
  }

  // Matrices with the same input and with their adapters; those that are not there are left out.
  Matrices matrices(size_t first, size_t last, size_t adapter, int64_t inner, const char* name) {
    Matrices all;
    for (size_t which = first; which <= last; ++which, adapter += 2) {
      const OptionalTensor weight = at(which);
      if (!weight.has_value()) continue;
      all.push_back({factor(*weight, inner, name), weight->size(0), nullptr});
      if (factors_.empty()) continue;
      const OptionalTensor a = factors_.get(layer_ * kFactors + adapter),
                           b = factors_.get(layer_ * kFactors + adapter + 1);
      TORCH_CHECK(a.has_value() == b.has_value(), where(name), " needs both factors of an adapter");
      if (!a.has_value()) continue;
      TORCH_CHECK(b->dim() == 2 && b->size(0) == weight->size(0), "the adapter of ", where(name),
                  " must give ", weight->size(0), " features, got ", b->sizes());
      TORCH_CHECK(a->dim() == 2 && a->size(0) > 0, "the adapter of ", where(name),
                  " must have a rank, got ", a->sizes());
      all.back().change = {dense(*a, inner, name), dense(*b, a->size(0), name), a->size(0)};
    }
    return all;
  }

  std::string where(const char* name) const {
    return "decode_blocks: " + std::string(name) + " of layer " + std::to_string(layer_);
  }

 private:
  // A matrix [features, inner] in the layout that the loops read.
  SmallFactor factor(const at::Tensor& weight, int64_t inner, const char* name) {
    TORCH_CHECK(weight.is_cpu() && weight.scalar_type() == at::kBFloat16 && weight.dim() == 2 &&
                    weight.size(1) == inner,
                where(name), " must be bfloat16 [features, ", inner, "] on the CPU, got ",
                weight.sizes(), " ", weight.scalar_type());
    return SmallFactor::of(held(isQuantised(weight) ? weight : weight.contiguous()));
  }
  const bf16* dense(const at::Tensor& weight, int64_t inner, const char* name) {
    const bf16* elements = factor(weight, inner, name).weight;
    TORCH_CHECK(elements != nullptr, "the adapter of ", where(name), " cannot be quantised");
    return elements;
  }
  const at::Tensor& held(at::Tensor tensor) {
    held_.push_back(std::move(tensor));
    return held_.back();
  }

  const OptionalTensors &weights_, &factors_;
  int64_t layer_ = 0;
  std::deque<at::Tensor> held_;
};

inline void checkFeatures(const Reader& reader, const Matrices& matrices, int64_t features,
                          const char* name) {
  TORCH_CHECK(featuresOf(matrices) == features, reader.where(name), " gives ", featuresOf(matrices),
              " features, expected ", features);
}

inline Layer readLayer(Reader& reader, const Sizes& sizes, const CacheTensors& cache,
                       const OptionalTensor& cosine, const OptionalTensor& sine, double scale,
                       double softcap) {
  const int64_t size = cache.keys.size(3), keyValueHeads = cache.keys.size(2);
  Layer layer{
      reader.vector(attentionNorm, sizes.hidden, "attention_norm"),
      reader.vector(postAttentionNorm, sizes.hidden, "post_attention_norm"),
      reader.vector(mlpNorm, sizes.hidden, "mlp_norm"),
      reader.vector(postMlpNorm, sizes.hidden, "post_mlp_norm"),
      reader.matrices(query, value, 0, sizes.hidden, "query_key_value"),
      reader.matrices(attentionOutput, attentionOutput, 6, sizes.attended, "attention_output"),
      reader.matrices(gate, up, 8, sizes.hidden, "gate_up"),
      reader.matrices(down, down, 12, sizes.intermediate, "down"),
      {},
      {},
      {sizes.attended / size, keyValueHeads, size, sizes.epsilon, sizes.offset, scale, softcap},
      CachedKeys<bf16>("decode_blocks", cache),
      writable<bf16>(cache.keys),
      writable<bf16>(cache.values)};
  TORCH_CHECK(layer.attentionNorm != nullptr && layer.mlpNorm != nullptr, reader.where("a norm"),
              " is missing");
  Heads& attention = layer.attention;
  checkFeatures(reader, layer.projections, attention.width(), "query_key_value");
  checkFeatures(reader, layer.output, sizes.hidden, "attention_output");
  checkFeatures(reader, layer.gates, 2 * sizes.intermediate, "gate_up");
  checkFeatures(reader, layer.down, sizes.hidden, "down");
  for (size_t i = 0; i < 3; ++i) {
    const OptionalTensor bias = reader.at(queryBias + i);
    if (!bias.has_value()) continue;
    TORCH_CHECK(i < layer.projections.size() && bias->numel() == layer.projections[i].features,
                reader.where("a bias"), " does not fit its matrix: ", bias->sizes());
    layer.projections[i].bias = reader.wide(*bias);
  }
  attention.queryNorm = reader.vector(queryNorm, size, "query_norm");
  attention.keyNorm = reader.vector(keyNorm, size, "key_norm");
  TORCH_CHECK(cosine.has_value() == sine.has_value(), reader.where("a rotation"),
              ": cosine and sine must be given together");
  if (cosine.has_value()) {
    attention.half = cosine->size(-1);
    TORCH_CHECK(cosine->dim() == 2 && cosine->size(0) == sizes.count &&
                    cosine->sizes() == sine->sizes() && 2 * attention.half <= size,
                reader.where("a rotation"), " must be [", sizes.count, ", half], got ",
                cosine->sizes(), ", ", sine->sizes());
    attention.cosine = reader.wide(*cosine);
    attention.sine = reader.wide(*sine);
  }
  // A thread computes the same features of gate and up, and so has both for the activation.
  layer.gate = layer.gates.front();
  layer.up = layer.gates.size() == 1 ? layer.gate.from(sizes.intermediate) : layer.gates.back();
  return layer;
}

inline CacheTensors cacheOf(at::TensorList caches, size_t layer, const at::Tensor& rows,
                            const at::Tensor& lengths, const at::Tensor& prefixStarts,
                            const at::Tensor& prefixLengths, int64_t window) {
  const at::Tensor &keys = caches[4 * layer], &values = caches[4 * layer + 1],
                   &prefixKeys = caches[4 * layer + 2], &prefixValues = caches[4 * layer + 3];
  TORCH_CHECK(keys.dim() == 4 && values.sizes() == keys.sizes() && keys.is_contiguous() &&
                  values.is_contiguous() && prefixKeys.dim() == 3 &&
                  prefixValues.sizes() == prefixKeys.sizes(),
              "decode_blocks takes keys and values [R, capacity, keyValueHeads, size] and [P, "
              "keyValueHeads, size], got ",
              keys.sizes(), ", ", values.sizes(), ", ", prefixKeys.sizes(), ", ",
              prefixValues.sizes());
  TORCH_CHECK(prefixKeys.size(1) == keys.size(2) && prefixKeys.size(2) == keys.size(3),
              "decode_blocks: the prefix must have the cache's heads, got ", prefixKeys.sizes(),
              " and ", keys.sizes());
  for (const at::Tensor* one : {&keys, &values, &prefixKeys, &prefixValues})
    TORCH_CHECK(one->is_cpu() && one->scalar_type() == at::kBFloat16,
                "decode_blocks: the cache must be bfloat16 on the CPU");
  return {keys,         values,       rows,          lengths, prefixKeys,
          prefixValues, prefixStarts, prefixLengths, window};
}

}  // namespace keel::decode
