// keel::decode_blocks: decoder blocks for one new token of each sequence, for generation; bfloat16
// on the CPU. With few rows, reading the weights from memory dominates the cost, and calls and
// parallel regions of their own for each product would leave the memory idle. Between its products
// everything stays in float32.
#include <torch/library.h>

#include <deque>
#include <string>

#include "heads.h"
#include "products.h"

namespace keel {
namespace decode {
namespace {

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

void checkFeatures(const Reader& reader, const Matrices& matrices, int64_t features,
                   const char* name) {
  TORCH_CHECK(featuresOf(matrices) == features, reader.where(name), " gives ", featuresOf(matrices),
              " features, expected ", features);
}

Layer readLayer(Reader& reader, const Sizes& sizes, const CacheTensors& cache,
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

CacheTensors cacheOf(at::TensorList caches, size_t layer, const at::Tensor& rows,
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

// Memory that the team shares. With a single row, each thread has its own state and normed row, and
// computes what concerns the whole row itself: that costs less than waiting for another thread.
struct Space {
  float *state, *update, *sums, *lowered;
  bf16 *normed, *narrow, *turned;
};

// One thread's part in all layers.
class Pass {
 public:
  Pass(const Team& team, const Sizes& sizes, const Space& space)
      : team_(team),
        sizes_(sizes),
        single_(sizes.count == 1),
        state_(space.state + (single_ ? team.index * sizes.hidden : 0)),
        update_(space.update),
        sums_(space.sums),
        normed_(space.normed + (single_ ? team.index * sizes.hidden : 0)),
        narrow_(space.narrow),
        turned_(space.turned),
        products_(team, sizes.count, space.lowered) {}

  void run(const bf16* input, const std::vector<Layer>& layers, bf16* result) {
    eachRow([&](int64_t at) {
      rows::decodeLoops().widenRow(input + at, state_ + at, sizes_.hidden);
      normalise(at, layers.front().attentionNorm);
    });
    for (size_t i = 0; i < layers.size(); ++i) {
      const Layer& layer = layers[i];
      attend(layer);
      eachRow([&](int64_t at) {
        add(at, layer.postAttentionNorm);
        normalise(at, layer.mlpNorm);
      });
      mlp(layer);
      const Layer* const next = i + 1 < layers.size() ? &layers[i + 1] : nullptr;
      if (next != nullptr) prefetchFirst(team_, next->projections);
      team_.meet();
      eachRow([&](int64_t at) {
        add(at, layer.postMlpNorm);
        if (next != nullptr) normalise(at, next->attentionNorm);
      });
    }
    if (single_ && team_.index > 0) return;
    eachRow([&](int64_t at) { table<bf16>().narrowRow(state_ + at, result + at, sizes_.hidden); });
  }

 private:
  // normed -> update, complete after the next meeting
  void attend(const Layer& layer) {
    const Heads& attention = layer.attention;
    attention.prefetch(team_, layer.cache, sizes_.count);
    multiply(layer.projections, arranged(normed_, sizes_.hidden), sizes_.hidden, sums_,
             attention.width());
    team_.meet();
    attention.attend(team_, sums_, layer.cache, layer.keys, layer.values, narrow_, sizes_.count);
    prefetchFirst(team_, layer.output);
    team_.meet();
    multiply(layer.output, arranged(narrow_, sizes_.attended), sizes_.attended, update_,
             sizes_.hidden);
    prefetchFirst(layer.gate, shareOf(team_, sizes_.intermediate).first);
    team_.meet();
  }

  // normed -> update, complete after the next meeting
  void mlp(const Layer& layer) {
    const int64_t intermediate = sizes_.intermediate;
    const Input x = arranged(normed_, sizes_.hidden);
    products_.lower(layer.gates, x, sizes_.hidden);
    const auto [first, last] = shareOf(team_, intermediate);
    const size_t up = layer.gates.size() - 1;
    for (int64_t n = first; n < last; n += kFeatures) {
      const int64_t end = std::min(last, n + kFeatures);
      layer.gate.multiply(x, products_.lowered(0), sizes_.count, n, end, sums_, 2 * intermediate);
      layer.up.multiply(x, products_.lowered(up), sizes_.count, n, end, sums_ + intermediate,
                        2 * intermediate);
      for (int64_t row = 0; row < sizes_.count; ++row) {
        const float* const own = sums_ + row * 2 * intermediate + n;
        rows::decodeLoops().gateRow(own, own + intermediate, narrow_ + row * intermediate + n,
                                    end - n, sizes_.activation);
      }
    }
    prefetchFirst(team_, layer.down);
    team_.meet();
    multiply(layer.down, arranged(narrow_, intermediate), intermediate, update_, sizes_.hidden);
  }

  void multiply(const Matrices& matrices, Input x, int64_t inner, float* to, int64_t stride) {
    products_.lower(matrices, x, inner);
    products_.multiply(matrices, x, to, stride);
  }

  // Calls body(offset) for this thread's rows.
  template <typename Body>
  void eachRow(Body body) const {
    if (single_) return body(0);
    const auto [begin, end] = team_.share(sizes_.count);
    for (int64_t row = begin; row < end; ++row) body(row * sizes_.hidden);
    team_.meet();
  }

  Input arranged(const bf16* x, int64_t inner) const {
    const auto [begin, end] = single_
                                  ? std::pair<int64_t, int64_t>{0, 1}
                                  : team_.share((inner + rows::kArranged - 1) / rows::kArranged);
    const bf16* const found =
        rows::decodeLoops().arrange(x, sizes_.count, inner, begin * rows::kArranged,
                                    std::min(inner, end * rows::kArranged), turned_);
    if (found != x) team_.meet();
    return {x, found};
  }

  // state = state + update, with the update's own norm if there is one
  void add(int64_t at, const bf16* norm) const {
    const auto& loops = rows::decodeLoops();
    const float* update = update_ + at;
    if (norm != nullptr) {
      aside_.resize(sizes_.hidden);
      loops.normRow(update, norm, aside_.data(), sizes_.hidden, sizes_.epsilon, sizes_.offset);
      update = aside_.data();
    }
    loops.addRow(update, state_ + at, sizes_.hidden);
  }
  void normalise(int64_t at, const bf16* norm) const {
    rows::decodeLoops().normRowNarrow(state_ + at, norm, normed_ + at, sizes_.hidden,
                                      sizes_.epsilon, sizes_.offset);
  }

  const Team team_;
  const Sizes& sizes_;
  const bool single_;
  float *const state_, *const update_, *const sums_;
  bf16 *const normed_, *const narrow_, *const turned_;
  Multiplier products_;
  mutable std::vector<float> aside_;
};

// Threads for a step: one if it is too small to be shared.
int64_t threadsFor(const Sizes& sizes) {
  const int64_t products = sizes.count * sizes.hidden * sizes.intermediate;
  return products < 65536 ? 1 : std::max(1, at::get_num_threads());
}

at::Tensor decodeBlocks(const at::Tensor& state, const OptionalTensors& weights,
                        at::TensorList caches, const OptionalTensors& rotations,
                        at::IntArrayRef windows, const at::Tensor& rowIndices,
                        const at::Tensor& lengths, const at::Tensor& prefixStarts,
                        const at::Tensor& prefixLengths, const OptionalTensors& factors,
                        double scale, double softcap, double epsilon, double offset,
                        c10::string_view activation) {
  TORCH_CHECK(state.is_cpu() && state.dim() == 2 && state.scalar_type() == at::kBFloat16,
              "decode_blocks takes a state [B, hidden] in bfloat16 on the CPU, got ", state.sizes(),
              " ", state.scalar_type());
  TORCH_CHECK(activation == "silu" || activation == "gelu_tanh",
              "decode_blocks: unknown activation ", activation);
  const size_t layers = windows.size();
  TORCH_CHECK(layers > 0 && weights.size() == layers * kWeights && caches.size() == layers * 4 &&
                  rotations.size() == layers * 2 &&
                  (factors.empty() || factors.size() == layers * kFactors),
              "decode_blocks takes ", kWeights, " weights, 4 cache tensors, 2 rotations and ",
              kFactors, " factors or none for each of ", layers, " layers, got ", weights.size(),
              ", ", caches.size(), ", ", rotations.size(), " and ", factors.size());
  const int64_t count = state.size(0), hidden = state.size(1);
  for (const at::Tensor* one : {&rowIndices, &lengths, &prefixStarts, &prefixLengths})
    TORCH_CHECK(one->is_cpu() && one->scalar_type() == at::kLong && one->dim() == 1 &&
                    one->size(0) == count && one->is_contiguous(),
                "decode_blocks: rows, lengths and the prefix's starts and lengths must be int64 [",
                count, "], got ", one->sizes());
  for (int64_t b = 0; b < count; ++b)
    TORCH_CHECK(lengths.const_data_ptr<int64_t>()[b] > 0, "decode_blocks: sequence ", b,
                " has no space for its new token");

  Reader reader(weights, factors);
  const at::Tensor output = reader.needed(attentionOutput, "attention_output"),
                   lowering = reader.needed(down, "down");
  const Sizes sizes{count,
                    hidden,
                    output.dim() == 2 ? output.size(1) : 0,
                    lowering.dim() == 2 ? lowering.size(1) : 0,
                    epsilon,
                    offset,
                    activation == "silu" ? rows::Activation::silu : rows::Activation::geluTanh};
  std::vector<Layer> all;
  all.reserve(layers);
  int64_t ranks = 0, width = 2 * sizes.intermediate;
  for (size_t i = 0; i < layers; ++i) {
    reader.goTo(static_cast<int64_t>(i));
    const CacheTensors cache =
        cacheOf(caches, i, rowIndices, lengths, prefixStarts, prefixLengths, windows[i]);
    const int64_t size = cache.keys.size(3), keyValueHeads = cache.keys.size(2);
    TORCH_CHECK(size > 0 && keyValueHeads > 0 && sizes.attended > 0 &&
                    sizes.attended % (size * keyValueHeads) == 0,
                reader.where("attention_output"), " takes ", sizes.attended,
                " features, which do not fit ", keyValueHeads, " key-value heads of size ", size);
    all.push_back(readLayer(reader, sizes, cache, rotations.get(2 * i), rotations.get(2 * i + 1),
                            scale, softcap));
    const Layer& layer = all.back();
    width = std::max(width, layer.attention.width());
    for (const Matrices* one : {&layer.projections, &layer.output, &layer.gates, &layer.down})
      ranks = std::max(ranks, ranksOf(*one));
  }

  const at::Tensor from = state.contiguous();
  at::Tensor result = at::empty_like(from);
  if (count == 0) return result;
  const int64_t threads = threadsFor(sizes), copies = count == 1 ? threads : count;
  const int64_t widest = std::max({hidden, sizes.attended, sizes.intermediate});
  const at::Tensor wide =
      at::empty({copies * hidden + count * (hidden + width + ranks)}, at::kFloat);
  const at::Tensor narrow = at::empty(
      {copies * hidden + count * widest + rows::arrangedSize(count, widest)}, at::kBFloat16);
  float* const f = wide.mutable_data_ptr<float>();
  bf16* const h = writable<bf16>(narrow);
  float* const update = f + copies * hidden;
  const Space space{f,
                    update,
                    update + count * hidden,
                    update + count * (hidden + width),
                    h,
                    h + copies * hidden,
                    h + copies * hidden + count * widest};
  const bf16* const input = readOnly<bf16>(from);
  bf16* const to = writable<bf16>(result);
  inTeam(threads, [&](const Team& team) { Pass(team, sizes, space).run(input, all, to); });
  return result;
}

}  // namespace
}  // namespace decode

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "decode_blocks(Tensor state, Tensor?[] weights, Tensor(a!)[] caches, Tensor?[] rotations, "
      "int[] windows, Tensor rows, Tensor lengths, Tensor prefix_starts, Tensor prefix_lengths, "
      "Tensor?[] factors, float scale, float softcap, float epsilon, float offset, str activation) "
      "-> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CPU, library) { library.impl("decode_blocks", decode::decodeBlocks); }

}  // namespace keel
