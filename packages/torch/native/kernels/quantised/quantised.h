// Weights that stay in the blocks of their file. Such a weight is a tensor [out, in] of the compute
// type without elements in memory: Keel's products expand what they need of it, and any other
// operator refuses it. Nothing of it is trained.
#pragma once
#include <ATen/ATen.h>

#include "../rows/rows.h"

namespace keel {
namespace quantised {
enum class Type : int;
}

// What a quantised weight holds. bytes: its blocks, row by row; scales: float32, empty or what
// blocks share (256 codes, offset, factors).
struct Quantised {
  at::Tensor bytes, scales;
  quantised::Type type;
  int64_t groupsPerRow, blocksPerRow;

  // Rows [first, first + rows), in float32 or bfloat16, one after the other.
  void expandRows(int64_t first, int64_t rows, float* to) const;
  void expandRows(int64_t first, int64_t rows, rows::bf16* to) const;
  // y[row * stride + n] = x[row] . weight[first + n] for x [rows, inner], without expanding it;
  // false: not for this format or processor (dot.h).
  bool dot(int64_t first, int64_t features, const rows::bf16* x, int64_t rows, float* y,
           int64_t stride) const;
};

bool isQuantised(const at::Tensor& weight);

// @throws c10::Error if the weight is not quantised
const Quantised& quantisedParts(const at::Tensor& weight);

// The weight itself, or a copy with all its elements: [out, in].
at::Tensor expanded(const at::Tensor& weight);

}  // namespace keel
