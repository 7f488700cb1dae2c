// keel::mask_logits_: rules out the tokens whose bits of a mask are not set.
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>

namespace keel {
namespace {

constexpr int64_t kBits = 32;

// logits [B, vocabulary] float32, masks [B, ceil(vocabulary / 32)] int32: where bit (t % 32) of
// word floor(t / 32) of a row is 0, the logit of token t becomes -Infinity, in place.
at::Tensor& maskLogits(at::Tensor& logits, const at::Tensor& masks) {
  TORCH_CHECK(logits.is_cpu() && logits.dim() == 2 && logits.scalar_type() == at::kFloat &&
                  logits.is_contiguous(),
              "mask_logits_ takes contiguous logits [B, vocabulary] in float32 on the CPU, got ",
              logits.sizes(), " ", logits.scalar_type());
  const int64_t count = logits.size(0), size = logits.size(1), words = (size + kBits - 1) / kBits;
  TORCH_CHECK(masks.is_cpu() && masks.dim() == 2 && masks.size(0) == count &&
                  masks.size(1) == words && masks.scalar_type() == at::kInt,
              "mask_logits_ takes masks [", count, ", ", words, "] in int32, got ", masks.sizes(),
              " ", masks.scalar_type());
  const at::Tensor bits = masks.contiguous();
  const int32_t* const from = bits.const_data_ptr<int32_t>();
  float* const to = logits.mutable_data_ptr<float>();
  constexpr float kNothing = -std::numeric_limits<float>::infinity();
  at::parallel_for(0, count, 8, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t word = 0; word < words; ++word) {
        const uint32_t mask = static_cast<uint32_t>(from[row * words + word]);
        if (mask == ~uint32_t{0}) continue;
        float* const own = to + row * size + word * kBits;
        const int64_t many = std::min(kBits, size - word * kBits);
        for (int64_t bit = 0; bit < many; ++bit) own[bit] = (mask >> bit) & 1 ? own[bit] : kNothing;
      }
    }
  });
  return logits;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("mask_logits_(Tensor(a!) logits, Tensor masks) -> Tensor(a!)");
}
TORCH_LIBRARY_IMPL(keel, CPU, library) { library.impl("mask_logits_", maskLogits); }

}  // namespace keel
