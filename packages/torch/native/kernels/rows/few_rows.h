// Products of a few rows in float32. LibTorch's product arranges the whole weight for each call;
// for a step of generation, that takes twice as long as the product itself. No ATen here (see
// rows.h).
#pragma once
#include <cstdint>

namespace keel::rows {

// With more rows, LibTorch's product is as fast, and faster from 64 on.
constexpr int64_t kFewRows = 32;

// One term: x [rows, inner], weight [.., inner] in the checkpoint's layout.
struct FloatTerm {
  const float* x;
  const float* weight;
  int64_t inner;
};

// y[row * stride + n] = the sum over the terms of x[row] . weight[n] for n in [begin, end). Each
// weight is read from memory once for all rows. The order of a sum depends only on `inner`: not on
// the other rows, nor on where a range of columns starts.
using FewRows = void (*)(const FloatTerm* terms, int64_t count, int64_t rows, int64_t begin,
                         int64_t end, float* y, int64_t stride);

// For AVX2 and AVX-512 without bfloat16 products. With those, models are held in bfloat16, and
// float32 is left to LibTorch, as on all other processors: null.
FewRows fewRows();

}  // namespace keel::rows
