// The steps of attention between its products: softmax over visible keys, and its derivative.
#pragma once
#include "vectors_avx512.h"

namespace keel::blocks {
namespace {

inline __m512 finished(__m512 raw, Finish finish) {
  const __m512 scaled = _mm512_mul_ps(raw, _mm512_set1_ps(finish.scale));
  if (finish.softcap <= 0) return scaled;
  const __m512 cap = _mm512_set1_ps(finish.softcap);
  return _mm512_mul_ps(hyperbolicTangent(_mm512_div_ps(scaled, cap)), cap);
}

// Mask of the lanes of [at, at + 16) that are in [first, last).
inline __mmask16 between(int64_t at, int64_t first, int64_t last) {
  return static_cast<__mmask16>(lanes(last - at) & ~lanes(first - at));
}

void weigh(float* scores, int64_t stride, int64_t rows, int64_t width, Finish finish,
           const int64_t* firsts, const int64_t* lasts, bf16* weights, int64_t weightStride,
           float* tops, float* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    float* row = scores + i * stride;
    bf16* to = weights + i * weightStride;
    const int64_t first = firsts[i], last = lasts[i], from = first / kVector * kVector;
    const __m512 lowest = _mm512_set1_ps(-INFINITY);
    __m512 largest = lowest;
    for (int64_t c = from; c < last; c += kVector)
      largest =
          _mm512_mask_max_ps(largest, between(c, first, last), largest, _mm512_loadu_ps(row + c));
    const __m512 top = finished(_mm512_set1_ps(_mm512_reduce_max_ps(largest)), finish);
    __m512 sum = _mm512_setzero_ps();
    for (int64_t c = 0; c < from; c += kVector)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + c), _mm256_setzero_si256());
    for (int64_t c = from; c < last; c += kVector) {
      const __m512 x = _mm512_sub_ps(finished(_mm512_loadu_ps(row + c), finish), top);
      const __m512 e = _mm512_maskz_mov_ps(between(c, first, last), exponential(x));
      sum = _mm512_add_ps(sum, e);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + c), narrowed(e));
    }
    for (int64_t c = (last + kVector - 1) / kVector * kVector; c < width; c += kVector)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + c), _mm256_setzero_si256());
    tops[i] = _mm512_cvtss_f32(top);
    sums[i] = _mm512_reduce_add_ps(sum);
  }
}

void slope(const float* scores, const float* gWeights, int64_t rows, Finish finish,
           const float* logsumexp, const float* delta, const int64_t* firsts, const int64_t* lasts,
           bf16* weights, bf16* gScores) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t c = 0; c < kPanel; c += kVector) {
      const int64_t at = i * kPanel + c;
      const __mmask16 mask = between(c, firsts[i], lasts[i]);
      const __m512 x = finished(_mm512_loadu_ps(scores + at), finish);
      const __m512 p =
          _mm512_maskz_mov_ps(mask, exponential(_mm512_sub_ps(x, _mm512_loadu_ps(logsumexp + c))));
      __m512 g =
          _mm512_mul_ps(_mm512_sub_ps(_mm512_loadu_ps(gWeights + at), _mm512_loadu_ps(delta + c)),
                        _mm512_set1_ps(finish.scale));
      if (finish.softcap > 0) {
        const __m512 share = _mm512_div_ps(x, _mm512_set1_ps(finish.softcap));
        g = _mm512_mul_ps(g, _mm512_fnmadd_ps(share, share, _mm512_set1_ps(1.f)));
      }
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(weights + at), narrowed(p));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(gScores + at),
                          narrowed(_mm512_maskz_mul_ps(mask, p, g)));
    }
  }
}

void narrowRows(const float* from, int64_t stride, int64_t rows, int64_t columns,
                const float* factors, bf16* to, int64_t toStride) {
  for (int64_t i = 0; i < rows; ++i) {
    const __m512 factor = _mm512_set1_ps(factors == nullptr ? 1.f : factors[i]);
    for (int64_t c = 0; c < columns; c += kVector) {
      const __mmask16 mask = lanes(columns - c);
      _mm256_mask_storeu_epi16(
          to + i * toStride + c, mask,
          narrowed(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, from + i * stride + c), factor)));
    }
  }
}

}  // namespace
}  // namespace keel::blocks
