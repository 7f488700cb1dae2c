// Products of a few rows in bfloat16, threads over output features.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "dispatch.h"
#include "rows/decode.h"
#include "rows/instruction_set.h"

namespace keel {

// So few rows that reading the weights as they lie costs less than arranging them for a block product; AMX is worth
// that sooner.
constexpr int64_t kSmallRows = 64, kSmallRowsBesideAmx = 16;

inline bool isSmall(const at::Tensor& x, const at::Tensor& weight) {
  static const int64_t most = rows::hasAmx() ? kSmallRowsBesideAmx : kSmallRows;
  return x.is_cpu() && weight.is_cpu() && x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && x.size(1) > 0 &&
         x.size(0) <= most && x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kBFloat16;
}

// Columns of a product that are worth a thread.
inline int64_t columnGrain(int64_t rows, int64_t inner) { return std::max<int64_t>(16, 65536 / std::max<int64_t>(1, rows * inner)); }

// x weight^T + bias: x [T, in], T at most kSmallRows, weight [out, in], all bfloat16 on the CPU -> [T, out]
inline at::Tensor smallLinear(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  const int64_t count = x.size(0), inner = x.size(1), features = weight.size(0);
  const at::Tensor input = x.contiguous(), matrix = weight.contiguous();
  at::Tensor y = at::empty({count, features}, x.options());
  const rows::bf16 *from = readOnly<rows::bf16>(input), *by = readOnly<rows::bf16>(matrix);
  rows::bf16* to = writable<rows::bf16>(y);
  const at::Tensor added = bias.has_value() ? bias->to(at::kFloat).contiguous() : at::Tensor();
  const float* shift = added.defined() ? added.const_data_ptr<float>() : nullptr;
  constexpr int64_t width = 64;
  at::parallel_for(0, features, columnGrain(count, inner), [&](int64_t begin, int64_t end) {
    float sums[kSmallRows * width];
    for (int64_t n = begin; n < end; n += width) {
      const int64_t columns = std::min(width, end - n);
      rows::decodeLoops().smallProduct(from, by + n * inner, sums, count, inner, 0, columns, width);
      for (int64_t row = 0; row < count; ++row) {
        if (shift != nullptr) rows::decodeLoops().addRow(shift + n, sums + row * width, columns);
        table<rows::bf16>().narrowRow(sums + row * width, to + row * features + n, columns);
      }
    }
  });
  return y;
}

}  // namespace keel
