// Loops of a step of generation, chosen at run time as those of rows.h are; for AVX-512 also with
// its bfloat16 products. No ATen here (see rows.h).
#pragma once
#include <cstdint>

#include "rows.h"

namespace keel::rows {

// A run of keys and values of one head, a token every so many elements.
template <typename T>
struct Reach {
  const T* keys;
  const T* values;
  int64_t length;
};

// Attention of the query heads that share one key-value head, [group, size], over two runs of keys,
// a token every `stride` elements. next: two runs that will be attended to soon; they are only
// asked for. scratch: attendScratch(keys of both runs, group, size) floats or doubles.
template <typename T>
using Attend = void (*)(const T* query, T* result, const Reach<T>* runs, const Reach<T>* next,
                        int64_t group, int64_t size, int64_t stride, double scale, double softcap,
                        Wide<T>* scratch);

inline int64_t attendScratch(int64_t keys, int64_t group, int64_t size) {
  return group * (keys + 2 * size + 64);
}

enum class Activation : int64_t { silu, geluTanh };

// One term of a small product: x [rows, inner] as `arrange` gave it, weight [.., inner].
struct SmallTerm {
  const bf16* x;
  const bf16* weight;
  int64_t inner;
};
// Elements that `arrange` may write.
constexpr int64_t arrangedSize(int64_t rows, int64_t inner) {
  return (rows + 15) / 16 * 16 * ((inner + 1) / 2 * 2);
}

struct DecodeLoops {
  // x [rows, inner] as products read it: in `space`, or where it lies.
  const bf16* (*arrange)(const bf16* x, int64_t rows, int64_t inner, bf16* space);
  // y[row * stride + n] = the sum over the terms of x[row] . weight[n] for n in [begin, end), in
  // float32. Weights lie as a checkpoint has them; each is read from memory once for all rows, and
  // none is packed. The order of a sum depends on `inner` alone: not on the other rows, nor on
  // where a range of columns begins.
  void (*smallProduct)(const SmallTerm* terms, int64_t count, int64_t rows, int64_t begin,
                       int64_t end, float* y, int64_t stride);
  Attend<float> attendFloat;
  Attend<double> attendDouble;
  Attend<bf16> attendBf16;
  // y = x * rstd * (weight + offset), as rmsNorm of rows.h, of one row in float32
  void (*normRow)(const float* x, const bf16* weight, float* y, int64_t size, double epsilon,
                  double offset);
  void (*normRowNarrow)(const float* x, const bf16* weight, bf16* y, int64_t size, double epsilon,
                        double offset);
  // y = x + y
  void (*addRow)(const float* x, float* y, int64_t size);
  void (*widenRow)(const bf16* x, float* y, int64_t size);
  // y = activation(gate) * up
  void (*gateRow)(const float* gate, const float* up, bf16* y, int64_t size, Activation activation);
  // The largest of a row; NaNs are passed over.
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
