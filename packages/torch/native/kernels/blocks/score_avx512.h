// Log-softmax of rows of logits that are computed some columns at a time (Milakov and Gimelshein
// 2018, arXiv:1805.02867, algorithm 3).
#pragma once
#include "vectors_avx512.h"

namespace keel::blocks {
namespace {

// The lanes of [at, at + 16) that are among the columns, and allowed by these words (null: all).
template <bool masked>
inline __mmask16 counted(int64_t at, int64_t columns, const int32_t* words) {
  const __mmask16 inside = lanes(columns - at);
  if constexpr (!masked) return inside;
  return inside & static_cast<__mmask16>(static_cast<uint32_t>(words[at / 32]) >> (at % 32));
}

// Logits -> x in place; returns the row's largest counted logit before scale and softcap.
template <bool masked>
inline float finishRow(float* logits, int64_t columns, Finish finish, const int32_t* words) {
  const __m512 lowest = _mm512_set1_ps(-INFINITY);
  __m512 largest = lowest;
  for (int64_t c = 0; c < columns; c += kVector) {
    const __mmask16 mask = lanes(columns - c);
    const __m512 raw = _mm512_mask_loadu_ps(lowest, mask, logits + c);
    if constexpr (masked)
      largest = _mm512_mask_max_ps(largest, counted<masked>(c, columns, words), largest, raw);
    else
      largest = _mm512_max_ps(largest, raw);
    if (finish.softcap > 0) {
      const __m512 capped =
          hyperbolicTangent(_mm512_mul_ps(raw, _mm512_set1_ps(finish.scale / finish.softcap)));
      _mm512_mask_storeu_ps(logits + c, mask,
                            _mm512_mul_ps(capped, _mm512_set1_ps(finish.softcap)));
    } else if (finish.scale != 1.f) {
      _mm512_mask_storeu_ps(logits + c, mask, _mm512_mul_ps(raw, _mm512_set1_ps(finish.scale)));
    }
  }
  return _mm512_reduce_max_ps(largest);
}

inline float finished(float raw, Finish finish) {
  const float scaled = raw * finish.scale;
  return finish.softcap > 0 ? finish.softcap * std::tanh(scaled / finish.softcap) : scaled;
}

// Rescales the sums so far to another top.
inline void moveTop(RowScore& row, float top, float* sums, int64_t sumSize) {
  if (row.sum > 0) {
    const float shift = row.top - top, factor = std::exp(shift);
    row.weighted = factor * (row.weighted + shift * row.sum);
    row.sum *= factor;
    for (int64_t i = 0; sums != nullptr && i < sumSize; ++i) sums[i] *= factor;
  }
  row.top = top;
}

// The first of the counted columns with the largest x.
template <bool masked>
inline int64_t bestOf(const float* x, int64_t columns, float top, const int32_t* words) {
  int64_t at = 0;
  if constexpr (!masked) {
    while (at < columns - 1 && !(x[at] >= top)) ++at;
    return at;
  }
  int64_t best = -1;
  for (; at < columns; ++at)
    if ((static_cast<uint32_t>(words[at / 32]) >> (at % 32) & 1u) != 0 &&
        (best < 0 || x[at] > x[best]))
      best = at;
  return best;
}

template <bool masked>
void scoreRows(float* logits, int64_t stride, int64_t rows, int64_t first, int64_t columns,
               Finish finish, const int64_t* targets, RowScore* scores, bf16* weights,
               int64_t weightStride, float* sums, int64_t sumSize, const int32_t* allowed,
               int64_t allowedStride) {
  for (int64_t i = 0; i < rows; ++i) {
    float* x = logits + i * stride;
    RowScore& row = scores[i];
    const int32_t* words = masked ? allowed + i * allowedStride + first / 32 : nullptr;
    const float largest = finishRow<masked>(x, columns, finish, words);
    // Without a counted column, the top stays: a soft cap of -inf would be finite.
    const float top = masked && largest == -INFINITY ? -INFINITY : finished(largest, finish);
    if (largest > row.bestRaw) {
      row.bestRaw = largest;
      row.best = first + bestOf<masked>(x, columns, top, words);
    }
    if (top > row.top) moveTop(row, top, sums == nullptr ? nullptr : sums + i * sumSize, sumSize);
    if (targets[i] >= first && targets[i] < first + columns) row.target = x[targets[i] - first];
    const __m512 shift = _mm512_set1_ps(row.top);
    __m512 sum = _mm512_setzero_ps(), weighted = _mm512_setzero_ps();
    for (int64_t c = 0; c < columns; c += kVector) {
      const __mmask16 mask = lanes(columns - c), taken = counted<masked>(c, columns, words);
      const __m512 value = _mm512_maskz_loadu_ps(mask, x + c),
                   moved = _mm512_maskz_sub_ps(taken, value, shift);
      __m512 e = _mm512_maskz_mov_ps(taken, exponential(moved));
      sum = _mm512_add_ps(sum, e);
      weighted = _mm512_fmadd_ps(e, moved, weighted);
      if (weights == nullptr) continue;
      if (finish.softcap > 0) {
        const __m512 share = _mm512_mul_ps(value, _mm512_set1_ps(1.f / finish.softcap));
        e = _mm512_mul_ps(e, _mm512_fnmadd_ps(share, share, _mm512_set1_ps(1.f)));
      }
      if (finish.scale != 1.f) e = _mm512_mul_ps(e, _mm512_set1_ps(finish.scale));
      _mm256_mask_storeu_epi16(weights + i * weightStride + c, mask, narrowed(e));
    }
    row.sum += _mm512_reduce_add_ps(sum);
    row.weighted += _mm512_reduce_add_ps(weighted);
  }
}

void score(float* logits, int64_t stride, int64_t rows, int64_t first, int64_t columns,
           Finish finish, const int64_t* targets, RowScore* scores, bf16* weights,
           int64_t weightStride, float* sums, int64_t sumSize, const int32_t* allowed,
           int64_t allowedStride) {
  const auto form = allowed == nullptr ? scoreRows<false> : scoreRows<true>;
  form(logits, stride, rows, first, columns, finish, targets, scores, weights, weightStride, sums,
       sumSize, allowed, allowedStride);
}

}  // namespace
}  // namespace keel::blocks
