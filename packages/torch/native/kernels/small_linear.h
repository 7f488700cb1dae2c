// Products of a few rows in bfloat16, threads over output features.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <vector>

#include "dispatch.h"
#include "products.h"
#include "rows/decode.h"
#include "rows/instruction_set.h"

namespace keel {

// So few rows that reading the weights as they lie costs less than arranging them for a block product; AMX is worth
// that sooner.
constexpr int64_t kSmallRows = 64, kSmallRowsBesideAmx = 16;

inline bool isSmall(const at::Tensor& x, const at::Tensor& weight) {
  static const int64_t most = rows::hasAmx() ? kSmallRowsBesideAmx : kSmallRows;
  return x.is_cpu() && weight.is_cpu() && x.dim() == 2 && weight.dim() == 2 && x.size(1) == weight.size(1) && x.size(1) > 0 &&
         x.size(0) > 0 && x.size(0) <= most && x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kBFloat16 &&
         weight.stride(1) == 1 && weight.stride(0) == weight.size(1);
}

// Columns of a product that are worth a thread.
inline int64_t columnGrain(int64_t rows, int64_t inner) { return std::max<int64_t>(16, 65536 / std::max<int64_t>(1, rows * inner)); }

// sumOfProducts where isSmall(left, right^T) holds for each pair: one rounding, and a pair whose product is zero changes no bit.
inline at::Tensor smallProducts(at::ArrayRef<Factors> terms, const std::optional<at::Tensor>& bias) {
  struct Pointers {
    const rows::bf16 *left, *right;
    int64_t inner;
  };
  std::vector<at::Tensor> held;
  std::vector<Pointers> pairs;
  int64_t work = 0;
  for (const auto& [left, right] : terms) {
    held.push_back(left.contiguous());
    pairs.push_back({readOnly<rows::bf16>(held.back()), readOnly<rows::bf16>(right), left.size(1)});
    work += left.size(1);
  }
  const int64_t count = terms[0].left.size(0), features = terms[0].right.size(1);
  at::Tensor y = at::empty({count, features}, terms[0].left.options());
  rows::bf16* to = writable<rows::bf16>(y);
  const at::Tensor added = bias.has_value() ? bias->to(at::kFloat).contiguous() : at::Tensor();
  const float* shift = added.defined() ? added.const_data_ptr<float>() : nullptr;
  constexpr int64_t width = 64;
  const auto& loops = rows::decodeLoops();
  at::parallel_for(0, features, columnGrain(count, work), [&](int64_t begin, int64_t end) {
    float sums[kSmallRows * width], more[kSmallRows * width];
    for (int64_t n = begin; n < end; n += width) {
      const int64_t columns = std::min(width, end - n);
      for (size_t i = 0; i < pairs.size(); ++i) {
        const auto& [left, right, inner] = pairs[i];
        loops.smallProduct(left, right + n * inner, i == 0 ? sums : more, count, inner, 0, columns, width);
        if (i > 0)
          for (int64_t row = 0; row < count; ++row) loops.addRow(more + row * width, sums + row * width, columns);
      }
      for (int64_t row = 0; row < count; ++row) {
        if (shift != nullptr) loops.addRow(shift + n, sums + row * width, columns);
        table<rows::bf16>().narrowRow(sums + row * width, to + row * features + n, columns);
      }
    }
  });
  return y;
}

}  // namespace keel
