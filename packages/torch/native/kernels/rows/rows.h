// Loops over rows of memory, compiled once for each instruction set and chosen at run time. No ATen
// here, because its inline functions must not be compiled into the object files of several
// instruction sets.
#pragma once
#include <cstdint>

namespace keel::rows {

struct bf16 {
  uint16_t bits;
};

// Element types: T is float, double or bf16; sums are in Wide (float for float and bf16).
template <typename T>
struct WideOf {
  using type = float;
};
template <>
struct WideOf<double> {
  using type = double;
};
template <typename T>
using Wide = typename WideOf<T>::type;

template <typename T>
struct Table {
  // y = x * rstd * (weight + offset), rstd = 1 / sqrt(mean(x^2) + epsilon); x, y [rows, size],
  // weight [size]
  void (*rmsNorm)(const T* x, const T* weight, T* y, Wide<T>* rstd, int64_t rows, int64_t size,
                  double epsilon, double offset);
  // gx, given y = rms_norm(x)
  void (*rmsNormBackward)(const T* gy, const T* x, const T* weight, const Wide<T>* rstd, T* gx,
                          int64_t rows, int64_t size, double offset);
  // y = silu(gate) * up, n elements
  void (*swiglu)(const T* gate, const T* up, T* y, int64_t n);
  void (*swigluBackward)(const T* gy, const T* gate, const T* up, T* gGate, T* gUp, int64_t n);
  // y = gelu(gate) * up, n elements; gelu by tanh or by erf
  void (*geglu)(const T* gate, const T* up, T* y, int64_t n, bool tanh);
  void (*gegluBackward)(const T* gy, const T* gate, const T* up, T* gGate, T* gUp, int64_t n,
                        bool tanh);
  // to = a + b; `to` may be a or b
  void (*addRow)(const T* a, const T* b, T* to, int64_t size);
  // Rotates pairs (i, i + half) of the first 2*half features by sign * angle; x, y [rows, heads,
  // size], cosine and sine [rows, half]
  void (*rotate)(const T* x, const Wide<T>* cosine, const Wide<T>* sine, T* y, int64_t rows,
                 int64_t heads, int64_t size, int64_t half, double sign);
  // Attention, one query: scores [width] -> probabilities over the visible keys [first, last),
  // zeros elsewhere. The scores are first scaled and softly capped (softcap 0: no cap), in place.
  // Returns the log-sum-exp.
  float (*softmaxRow)(float* scores, T* probabilities, int64_t first, int64_t last, int64_t width,
                      float scale, float softcap);
  // Attention backward, one key: scores and gradients of its probabilities over queries [width] ->
  // probabilities and gradients of scores. Queries outside [first, last) do not see the key.
  void (*softmaxColumn)(const float* scores, const float* gProbabilities, const float* logsumexp,
                        const float* delta, T* probabilities, T* gScores, int64_t first,
                        int64_t last, int64_t width, float scale, float softcap);
  void (*narrowRow)(const float* from, T* to, int64_t size);
  float (*dotRow)(const T* a, const T* b, int64_t size);
  // to = a * factor - sums * inverse, all [size]
  void (*pullRow)(const T* a, const float* sums, float factor, float inverse, T* to, int64_t size);
  // One row of logits [size] -> {logit of target, log-sum-exp, entropy, index of the largest},
  // after scale and softcap.
  void (*scoreRow)(const T* logits, int64_t size, double scale, double softcap, int64_t target,
                   Wide<T>* out);
  // In place: logits -> seed * d log p(target) / d logits. A negative target is not among these
  // columns.
  void (*slopeRow)(T* logits, int64_t size, double scale, double softcap, int64_t target,
                   Wide<T> logsumexp, Wide<T> seed);
};

// For the few places that round a single value.
template <typename T>
T narrowed(Wide<T> value);

struct Tables {
  const Table<float>* f32;
  const Table<double>* f64;
  const Table<bf16>* b16;
};

// The best set that this processor supports.
const Tables& tables();

}  // namespace keel::rows
