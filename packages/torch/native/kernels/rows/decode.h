// Loops for a generation step, chosen at run time as in rows.h; for AVX-512 also with bfloat16
// products. No ATen here (see rows.h).
#pragma once
#include <cstdint>

#include "rows.h"

namespace keel::rows {

// A run of keys and values of one head, with a fixed stride between tokens.
template <typename T>
struct Reach {
  const T* keys;
  const T* values;
  int64_t length;
};

// Attention of the query heads that share one key-value head, [group, size], over two runs of keys
// with `stride` elements between tokens. next: the two runs that are needed next, which are only
// prefetched. scratch: attendScratch(keys of both runs, group, size) floats or doubles.
template <typename T>
using Attend = void (*)(const T* query, T* result, const Reach<T>* runs, const Reach<T>* next,
                        int64_t group, int64_t size, int64_t stride, double scale, double softcap,
                        Wide<T>* scratch);

inline int64_t attendScratch(int64_t keys, int64_t group, int64_t size) {
  return group * (keys + 2 * size + 64);
}

enum class Activation : int64_t { silu, geluTanh };

// One term of a small product: x [rows, inner] from `arrange`, weight [.., inner].
struct SmallTerm {
  const bf16* x;
  const bf16* weight;
  int64_t inner;
};
// Elements of a row that `arrange` writes together.
constexpr int64_t kArranged = 32;
// Maximum number of elements that `arrange` writes.
constexpr int64_t arrangedSize(int64_t rows, int64_t inner) {
  return (rows + 15) / 16 * 16 * ((inner + 1) / 2 * 2);
}

struct DecodeLoops {
  // x [rows, inner] in the layout that products read: in `space`, or unchanged in place. Writes the
  // elements [begin, end) of each row; begin is a multiple of kArranged, and so is end, or it is
  // inner.
  const bf16* (*arrange)(const bf16* x, int64_t rows, int64_t inner, int64_t begin, int64_t end,
                         bf16* space);
  // y[row * stride + n] = the sum over the terms of x[row] . weight[n] for n in [begin, end), in
  // float32. Weights are in the checkpoint's layout; each is read from memory once for all rows,
  // and none is packed. The order of a sum depends only on `inner`: not on the other rows, nor on
  // where a range of columns starts.
  void (*smallProduct)(const SmallTerm* terms, int64_t count, int64_t rows, int64_t begin,
                       int64_t end, float* y, int64_t stride);
  // y[row * stride + n] = x[row] . weight[n] for all `columns` rows of a weight that is in the
  // first-level cache, with x as it is. The order of a sum depends only on `inner`.
  void (*nearProduct)(const bf16* x, const bf16* weight, int64_t rows, int64_t columns,
                      int64_t inner, float* y, int64_t stride);
  Attend<float> attendFloat;
  Attend<double> attendDouble;
  Attend<bf16> attendBf16;
  // y = x * rstd * (weight + offset) for one row in float32, as rmsNorm in rows.h
  void (*normRow)(const float* x, const bf16* weight, float* y, int64_t size, double epsilon,
                  double offset);
  void (*normRowNarrow)(const float* x, const bf16* weight, bf16* y, int64_t size, double epsilon,
                        double offset);
  // y = x + y
  void (*addRow)(const float* x, float* y, int64_t size);
  void (*widenRow)(const bf16* x, float* y, int64_t size);
  // y = activation(gate) * up
  void (*gateRow)(const float* gate, const float* up, bf16* y, int64_t size, Activation activation);
  // The largest element of a row; NaNs are skipped.
  float (*largest)(const float* x, int64_t size);
  // y[i] = e^((x[i] - top) * factor), and their sum
  float (*weightsOf)(const float* x, float* y, int64_t size, float top, float factor);
};

const DecodeLoops& decodeLoops();

template <typename T>
Attend<T> attend();
template <>
inline Attend<float> attend<float>() {
  return decodeLoops().attendFloat;
}
template <>
inline Attend<double> attend<double>() {
  return decodeLoops().attendDouble;
}
template <>
inline Attend<bf16> attend<bf16>() {
  return decodeLoops().attendBf16;
}

}  // namespace keel::rows
