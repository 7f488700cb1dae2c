// keel::decode_blocks: decoder blocks for one new token of each sequence, for generation; bfloat16
// on the CPU. With few rows, reading the weights from memory dominates the cost, and calls and
// parallel regions of their own for each product would leave the memory idle. Between its products
// everything stays in float32.
#include <torch/library.h>

#include "pass.h"

namespace keel {
namespace decode {
namespace {

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
