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
         (isQuantised(weight) || (weight.stride(1) == 1 && weight.stride(0) == weight.size(1)));
}
inline bool isSmallProduct(const Factors& one) {
  return isSmall(one.left, one.blocks.defined() ? one.blocks : one.right.t());
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
      rows::decodeLoops().arrange(x, rows, inner, 0, inner, writable<rows::bf16>(space));
  return {std::move(space), taken};
}

// One term of a small product: x [rows, inner] as it is and from `arranged`, and a weight
// [features, inner] in its own layout or quantised.
struct SmallFactor {
  const rows::bf16 *plain, *x;
  const rows::bf16* weight;
  int64_t inner;
  const Quantised* blocks = nullptr;  // instead of weight, whose feature 0 is its row `start`
  int64_t start = 0;

  static SmallFactor of(const at::Tensor& weight) {
    const int64_t inner = weight.size(1);
    if (isQuantised(weight)) return {nullptr, nullptr, nullptr, inner, &quantisedParts(weight)};
    return {nullptr, nullptr, readOnly<rows::bf16>(weight), inner};
  }
  SmallFactor times(const rows::bf16* plain, const rows::bf16* arranged) const {
    return {plain, arranged, weight, inner, blocks, start};
  }
};

// y [rows, end - begin] of a quantised weight. If its codes cannot be multiplied as they are, a few
// features at a time are expanded, to memory that stays in the first-level cache while all rows are
// multiplied by them.
inline void quantisedProduct(const SmallFactor& one, int64_t rows, int64_t begin, int64_t end,
                             float* y, int64_t stride) {
  if (one.blocks->dot(one.start + begin, end - begin, one.plain, rows, y + begin, stride)) return;
  constexpr int64_t kTile = 12 * 1024;  // elements
  const int64_t step = std::clamp<int64_t>(kTile / one.inner / 8 * 8, 8, kFeatures);
  thread_local std::vector<rows::bf16> tile;
  if (static_cast<int64_t>(tile.size()) < step * one.inner) tile.resize(step * one.inner);
  for (int64_t n = begin; n < end; n += step) {
    const int64_t columns = std::min(step, end - n);
    one.blocks->expandRows(one.start + n, columns, tile.data());
    rows::decodeLoops().nearProduct(one.plain, tile.data(), rows, columns, one.inner, y + n,
                                    stride);
  }
}

// As smallProduct in rows/decode.h, with weights that may be quantised.
inline void smallProduct(const SmallFactor* terms, int64_t count, int64_t rows, int64_t begin,
                         int64_t end, float* y, int64_t stride) {
  std::vector<rows::SmallTerm> dense;
  const SmallFactor* blocks = nullptr;
  for (int64_t t = 0; t < count; ++t) {
    const SmallFactor& one = terms[t];
    if (one.blocks == nullptr) {
      dense.push_back({one.x, one.weight, one.inner});
      continue;
    }
    TORCH_CHECK(blocks == nullptr, "only one term of a product can be quantised");
    blocks = &one;
  }
  const auto product = [&](int64_t first, int64_t last, float* to, int64_t apart) {
    rows::decodeLoops().smallProduct(dense.data(), static_cast<int64_t>(dense.size()), rows, first,
                                     last, to, apart);
  };
  if (blocks == nullptr) return product(begin, end, y, stride);
  quantisedProduct(*blocks, rows, begin, end, y, stride);
  if (dense.empty()) return;
  thread_local std::vector<float> more;
  if (static_cast<int64_t>(more.size()) < rows * kFeatures) more.resize(rows * kFeatures);
  for (int64_t n = begin; n < end; n += kFeatures) {
    const int64_t columns = std::min(kFeatures, end - n);
    product(n, n + columns, more.data() - n, kFeatures);
    for (int64_t row = 0; row < rows; ++row)
      rows::decodeLoops().addRow(more.data() + row * kFeatures, y + row * stride + n, columns);
  }
}

// sumOfProducts if isSmallProduct holds for each pair. It rounds once, and a pair whose product is
// zero changes no bit.
inline at::Tensor smallProducts(at::ArrayRef<Factors> terms,
                                const std::optional<at::Tensor>& bias) {
  std::vector<Arranged> held;
  std::vector<SmallFactor> list;
  int64_t depth = 0;
  const auto weightOf = [](const Factors& one) {
    return one.blocks.defined() ? one.blocks : one.right.t();
  };
  const int64_t count = terms[0].left.size(0), features = weightOf(terms[0]).size(0);
  for (const Factors& one : terms) {
    const at::Tensor own = one.left.contiguous();
    held.push_back(arranged(readOnly<rows::bf16>(own), count, own.size(1)));
    held.push_back({own, nullptr});
    list.push_back(
        SmallFactor::of(weightOf(one)).times(readOnly<rows::bf16>(own), held[held.size() - 2].x));
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
      smallProduct(list.data(), static_cast<int64_t>(list.size()), count, n, n + columns, sums - n,
                   kFeatures);
      for (int64_t row = 0; row < count; ++row) {
        if (shift != nullptr) loops.addRow(shift + n, sums + row * kFeatures, columns);
        table<rows::bf16>().narrowRow(sums + row * kFeatures, to + row * features + n, columns);
      }
    }
  });
  return y;
}

}  // namespace keel
