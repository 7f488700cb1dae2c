// keel::quantise_nf4: a weight as NF4 with double quantisation (Dettmers et al. 2023,
// arXiv:2305.14314, section 3), as bitsandbytes quantises it: blocks of 64 weights with their
// largest size as scale; the scales, less their mean, in blocks of 256 with the signed dynamic
// 8-bit codes of Dettmers et al. 2022 (arXiv:2110.02861, section 2).
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "../dispatch.h"
#include "expand.h"

namespace keel {
namespace {

constexpr int64_t kBlock = 64, kBytes = 33, kScales = 256;

// 7 powers of ten, each with twice as many values as the one below, negative and positive; 0 and 1.
// In float32, step by step, so that they equal those of bitsandbytes.
std::array<float, 256> dynamicCodes() {
  std::array<float, 256> codes{};
  size_t size = 0;
  for (int i = 0; i < 7; ++i) {
    const int intervals = 1 << i;
    const float step = (1.f - .1f) / static_cast<float>(intervals),
                power = static_cast<float>(std::pow(10., i - 6));
    const auto bound = [&](int at) {
      const auto place = static_cast<float>(at), left = static_cast<float>(intervals - at);
      return 2 * at < intervals + 1 ? std::fma(step, place, .1f) : std::fma(-step, left, 1.f);
    };
    for (int at = 0; at < intervals; ++at) {
      const float mean = power * ((bound(at) + bound(at + 1)) / 2.f);
      codes[size++] = mean;
      codes[size++] = -mean;
    }
  }
  codes[size++] = 0.f;
  codes[size++] = 1.f;
  std::sort(codes.begin(), codes.end());
  return codes;
}

template <size_t Size>
uint8_t nearest(const float (&values)[Size], float x) {
  const float* above = std::lower_bound(values, values + Size, x);
  if (above == values) return 0;
  const auto at = static_cast<uint8_t>(above - values);
  if (at == Size) return Size - 1;
  return x - values[at - 1] <= values[at] - x ? static_cast<uint8_t>(at - 1) : at;
}

float largestOf(const float* values, int64_t count) {
  float most = 0;
  for (int64_t i = 0; i < count; ++i) most = std::max(most, std::fabs(values[i]));
  return most;
}

// weight [out, in], in a multiple of 64 -> its blocks [bytes], and what they share: 256 codes, the
// scales' mean, and a factor for each 256 blocks
std::tuple<at::Tensor, at::Tensor> quantise(const at::Tensor& weight) {
  TORCH_CHECK(weight.dim() == 2 && weight.is_cpu() && weight.size(1) % kBlock == 0,
              "quantise_nf4 takes [out, in] on the CPU, where in is a multiple of ", kBlock,
              "; got ", weight.sizes());
  const at::Tensor wide = weight.to(at::kFloat).contiguous();
  const float* from = wide.const_data_ptr<float>();
  const int64_t blocks = wide.numel() / kBlock, groups = (blocks + kScales - 1) / kScales;
  const at::Tensor bytes = at::empty({blocks * kBytes}, at::kByte), sizes = at::empty({blocks}),
                   scales = at::empty({257 + groups});
  auto* to = bytes.mutable_data_ptr<uint8_t>();
  float *size = sizes.mutable_data_ptr<float>(), *shared = scales.mutable_data_ptr<float>();
  at::parallel_for(0, blocks, grain(kBlock), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      const float* own = from + b * kBlock;
      const float most = size[b] = largestOf(own, kBlock);
      const auto codeOf = [&](float x) {
        return nearest(quantised::kNf4Levels, most == 0 ? 0.f : x / most);
      };
      for (int64_t i = 0; i < kBlock / 2; ++i)
        to[b * kBytes + 1 + i] =
            static_cast<uint8_t>(codeOf(own[2 * i]) << 4 | codeOf(own[2 * i + 1]));
    }
  });
  float codes[256];
  const auto dynamic = dynamicCodes();
  std::copy(dynamic.begin(), dynamic.end(), codes);
  std::copy(dynamic.begin(), dynamic.end(), shared);
  const float offset = shared[256] = blocks == 0 ? 0.f : sizes.mean().item<float>();
  sizes.sub_(offset);
  for (int64_t g = 0; g < groups; ++g) {
    const int64_t first = g * kScales, count = std::min(kScales, blocks - first);
    const float most = shared[257 + g] = largestOf(size + first, count);
    for (int64_t i = first; i < first + count; ++i)
      to[i * kBytes] = nearest(codes, most == 0 ? 0.f : size[i] / most);
  }
  return {bytes, scales};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("quantise_nf4(Tensor weight) -> (Tensor bytes, Tensor scales)");
}
TORCH_LIBRARY_IMPL(keel, CPU, library) { library.impl("quantise_nf4", quantise); }

}  // namespace keel
