// Products of a few rows in bfloat16, with threads over output features.
#pragma once
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <vector>

#include "dispatch.h"
#include "products.h"
#include "rows/decode.h"
#include "rows/instruction_set.h"

namespace keel {

// Numbers of rows up to which reading the weights in their own layout costs less than arranging
// them for a block product. With AMX, arranging pays off sooner.
constexpr int64_t kSmallRows = 128, kSmallRowsBesideAmx = 16;

inline bool isSmall(const at::Tensor& x, const at::Tensor& weight) {
  static const int64_t most = rows::hasAmx() ? kSmallRowsBesideAmx : kSmallRows;
  return x.is_cpu() && weight.is_cpu() && x.dim() == 2 && weight.dim() == 2 &&
         x.size(1) == weight.size(1) && x.size(1) > 0 && x.size(0) > 0 && x.size(0) <= most &&
         x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kBFloat16 &&
         weight.stride(1) == 1 && weight.stride(0) == weight.size(1);
}

// Minimum number of features per thread. A thread's share is a multiple of it.
constexpr int64_t kFeatures = 48;

// Calls body(begin, end) for ranges of features, each worth a thread; `depth` is the sum of the
// terms' inner sizes.
template <typename Body>
void forFeatures(int64_t features, int64_t rows, int64_t depth, Body body) {
  const int64_t grain = 65536 / std::max<int64_t>(1, rows * depth * kFeatures);
  at::parallel_for(0, (features + kFeatures - 1) / kFeatures, std::max<int64_t>(1, grain),
                   [&](int64_t begin, int64_t end) {
                     body(begin * kFeatures, std::min(features, end * kFeatures));
                   });
}

// Rows in the loops' layout, and the memory that holds them.
struct Arranged {
  at::Tensor space;
  const rows::bf16* x;
};
inline Arranged arranged(const rows::bf16* x, int64_t rows, int64_t inner) {
  at::Tensor space = at::empty({rows::arrangedSize(rows, inner)}, at::kBFloat16);
  const rows::bf16* taken =
      rows::decodeLoops().arrange(x, rows, inner, writable<rows::bf16>(space));
  return {std::move(space), taken};
}

// sumOfProducts if isSmall(left, right^T) holds for each pair. It rounds once, and a pair whose
// product is zero changes no bit.
inline at::Tensor smallProducts(at::ArrayRef<Factors> terms,
                                const std::optional<at::Tensor>& bias) {
  std::vector<Arranged> held;
  std::vector<rows::SmallTerm> list;
  int64_t depth = 0;
  const int64_t count = terms[0].left.size(0), features = terms[0].right.size(1);
  for (const auto& [left, right] : terms) {
    const at::Tensor own = left.contiguous();
    held.push_back(arranged(readOnly<rows::bf16>(own), count, own.size(1)));
    held.push_back({own, nullptr});
    list.push_back({held[held.size() - 2].x, readOnly<rows::bf16>(right), own.size(1)});
    depth += own.size(1);
  }
  at::Tensor y = at::empty({count, features}, terms[0].left.options());
  rows::bf16* to = writable<rows::bf16>(y);
  const at::Tensor added = bias.has_value() ? bias->to(at::kFloat).contiguous() : at::Tensor();
  const float* shift = added.defined() ? added.const_data_ptr<float>() : nullptr;
  const auto& loops = rows::decodeLoops();
  forFeatures(features, count, depth, [&](int64_t begin, int64_t end) {
    float sums[kSmallRows * kFeatures];
    for (int64_t n = begin; n < end; n += kFeatures) {
      const int64_t columns = std::min(kFeatures, end - n);
      loops.smallProduct(list.data(), static_cast<int64_t>(list.size()), count, n, n + columns,
                         sums - n, kFeatures);
      for (int64_t row = 0; row < count; ++row) {
        if (shift != nullptr) loops.addRow(shift + n, sums + row * kFeatures, columns);
        table<rows::bf16>().narrowRow(sums + row * kFeatures, to + row * features + n, columns);
      }
    }
  });
  return y;
}

}  // namespace keel
