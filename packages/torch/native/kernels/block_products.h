// Sums of products by Keel's own block products (blocks/), whose work LibTorch's threads share.
#pragma once
#include "blocks/blocks.h"
#include "products.h"

namespace keel {

inline bool isBlockFactor(const at::Tensor& x) {
  return shapesAreCompiled(x) && x.dim() == 2 && x.numel() > 0;
}

// Whether block products can compute this sum.
bool takesBlocks(at::ArrayRef<Factors> terms);

// into [T, N], bfloat16 or float32, = the sum of the terms + bias [N], which may be null
struct BlockSum {
  at::ArrayRef<Factors> terms;
  const float* bias;
  at::Tensor into;
};

// Computes all sums. takesBlocks holds for each.
void blockProducts(at::ArrayRef<BlockSum> sums);

// Memory that the next product of this thread reuses, for one purpose each.
enum class Purpose { packed, rounded, paired };
template <Purpose purpose>
blocks::bf16* scratch(int64_t elements) {
  thread_local std::vector<blocks::bf16> kept;
  if (static_cast<int64_t>(kept.size()) < elements) kept.resize(elements);
  return kept.data();
}

}  // namespace keel
