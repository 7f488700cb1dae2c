// Compiled for AVX-512 BF16. A tile of a product is 8 rows by 3 vectors of columns, held in 24
// registers. Narrower panels use 16 rows by 1 or 12 by 2, so that there are always enough sums in
// flight.
#include "attend_avx512.h"
#include "score_avx512.h"

namespace keel::blocks {
namespace {

inline __m512i pairsOfRows(const bf16* low, const bf16* high, __mmask16 mask) {
  const __m512i l = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, low));
  if (high == nullptr) return l;
  const __m512i h = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, high));
  return _mm512_or_si512(l, _mm512_slli_epi32(h, 16));
}

// What is packed next is fetched while the rows before it are packed. It may be past the end: a
// prefetch reads nothing that is not there.
inline void prefetch(const bf16* at) {
  _mm_prefetch(reinterpret_cast<const char*>(at), _MM_HINT_T0);
}

void pack(const bf16* from, int64_t rowStride, int64_t columnStride, int64_t depth, int64_t columns,
          bf16* panel) {
  if (columnStride == 1) {
    for (int64_t d = 0; d < depth; d += 2, panel += 2 * kPanel) {
      const bf16* low = from + d * rowStride;
      const bf16* high = d + 1 < depth ? low + rowStride : nullptr;
      for (int64_t row = kVector; row < kVector + 2; ++row)
        for (int64_t c = 0; c < kPanel; c += 2 * kVector) prefetch(low + row * rowStride + c);
      for (int64_t c = 0; c < kPanel; c += kVector)
        _mm512_storeu_si512(panel + 2 * c,
                            c < columns ? pairsOfRows(low + c, high == nullptr ? nullptr : high + c,
                                                      lanes(columns - c))
                                        : _mm512_setzero_si512());
    }
    return;
  }
  // Columns are contiguous: a pair of their elements is a word, and words are transposed.
  for (int64_t c = 0; c < kPanel; c += kVector) {
    for (int64_t d = 0; d < depth; d += 2 * kVector) {
      const int64_t words = std::min(kVector, (depth - d + 1) / 2);
      const auto mask = static_cast<__mmask32>(depth - d >= 32 ? ~0u : (1u << (depth - d)) - 1);
      __m512i r[16];
      for (int64_t i = 0; i < kVector; ++i) {
        r[i] = c + i < columns ? _mm512_maskz_loadu_epi16(mask, from + (c + i) * columnStride + d)
                               : _mm512_setzero_si512();
        prefetch(from + (c + i + kVector) * columnStride + d);
      }
      turn(r);
      for (int64_t i = 0; i < words; ++i)
        _mm512_storeu_si512(panel + (d / 2 + i) * 2 * kPanel + 2 * c, r[i]);
    }
  }
}

void transpose(const bf16* from, int64_t stride, int64_t depth, int64_t columns, bf16* to,
               int64_t toStride) {
  for (int64_t c = 0; c < columns; c += kVector) {
    for (int64_t d = 0; d < depth; d += 2 * kVector) {
      const int64_t words = std::min(kVector, (depth - d + 1) / 2);
      __m512i r[16];
      for (int64_t i = 0; i < kVector; ++i) {
        const bf16* low = from + (d + 2 * i) * stride + c;
        r[i] = i < words ? pairsOfRows(low, d + 2 * i + 1 < depth ? low + stride : nullptr,
                                       lanes(columns - c))
                         : _mm512_setzero_si512();
      }
      turn(r);
      for (int64_t i = 0; i < std::min(kVector, columns - c); ++i)
        _mm512_mask_storeu_epi32(to + (c + i) * toStride + d, lanes(words), r[i]);
    }
  }
}

inline __m512bh pairAt(const bf16* at) {
  int32_t word;
  std::memcpy(&word, at, 4);
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(word));
}

// Sums for a tile of R rows and V vectors of columns.
template <int R, int V>
[[gnu::always_inline]] inline void sums(const Term* terms, int64_t count, int64_t row,
                                        int64_t column, __m512 (&sum)[R][V]) {
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < V; ++j) sum[i][j] = _mm512_setzero_ps();
  for (int64_t t = 0; t < count; ++t) {
    const int64_t stride = terms[t].stride, depth = terms[t].depth;
    const bf16 *a = terms[t].a + row * stride, *b = terms[t].panel + 2 * column;
    for (int64_t d = 0; d < depth; d += 2, b += 2 * kPanel) {
      __m512bh right[V];
      for (int j = 0; j < V; ++j)
        right[j] = reinterpret_cast<__m512bh>(_mm512_loadu_si512(b + 32 * j));
      for (int i = 0; i < R; ++i) {
        const __m512bh left = pairAt(a + i * stride + d);
        for (int j = 0; j < V; ++j) sum[i][j] = _mm512_dpbf16_ps(sum[i][j], left, right[j]);
      }
    }
  }
}

// Calls store(row, column, vector, mask) for every vector of the product, for rows from `first` on.
template <int V, int R, typename Store>
[[gnu::always_inline]] inline void strip(const Term* terms, int64_t count, int64_t row,
                                         int64_t first, int64_t column, int64_t columns,
                                         Store store) {
  __m512 sum[R][V];
  sums<R, V>(terms, count, row, column, sum);
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < V && row + i >= first; ++j)
      store(row + i, column + j * kVector, sum[i][j], lanes(columns - column - j * kVector));
}

// Strips of R rows of [row, rows). The last one starts early if rows are left and there are enough
// before them: few rows alone have too few sums in flight. -> the first row that is not done
template <int V, int R, typename Store>
[[gnu::always_inline]] inline int64_t stripsOf(int64_t row, int64_t rows, int64_t columns,
                                               const Term* terms, int64_t count, int64_t column,
                                               Store store) {
  if (rows < R) return row;
  for (; row < rows; row += R)
    strip<V, R>(terms, count, std::min(row, rows - R), row, column, columns, store);
  return rows;
}

template <int V, int Most, typename Store>
void rowsOf(int64_t rows, int64_t columns, const Term* terms, int64_t count, int64_t column,
            Store store) {
  int64_t row = stripsOf<V, Most>(0, rows, columns, terms, count, column, store);
  row = stripsOf<V, 4>(row, rows, columns, terms, count, column, store);
  stripsOf<V, 1>(row, rows, columns, terms, count, column, store);
}

template <typename Store>
inline void product(int64_t rows, int64_t columns, const Term* terms, int64_t count, Store store) {
  if (columns > 2 * kVector)
    rowsOf<3, 8>(rows, columns, terms, count, 0, store);
  else if (columns > kVector)
    rowsOf<2, 12>(rows, columns, terms, count, 0, store);
  else
    rowsOf<1, 16>(rows, columns, terms, count, 0, store);
}

void multiply(int64_t rows, int64_t columns, const Term* terms, int64_t count, float* c,
              int64_t stride, bool add) {
  if (add) {
    product(rows, columns, terms, count,
            [=](int64_t row, int64_t column, __m512 sum, __mmask16 mask) {
              float* at = c + row * stride + column;
              _mm512_mask_storeu_ps(at, mask, _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, at)));
            });
  } else {
    product(rows, columns, terms, count,
            [=](int64_t row, int64_t column, __m512 sum, __mmask16 mask) {
              _mm512_mask_storeu_ps(c + row * stride + column, mask, sum);
            });
  }
}

void multiplyNarrow(int64_t rows, int64_t columns, const Term* terms, int64_t count,
                    const float* bias, bf16* c, int64_t stride) {
  product(rows, columns, terms, count,
          [=](int64_t row, int64_t column, __m512 sum, __mmask16 mask) {
            if (bias != nullptr)
              sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, bias + column));
            _mm256_mask_storeu_epi16(c + row * stride + column, mask,
                                     reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sum)));
          });
}

void pairRows(const bf16* a, int64_t stride, int64_t tokens, int64_t columns, bf16* pairs) {
  for (int64_t t = 0; t < tokens; t += 2, a += 2 * stride)
    for (int64_t c = 0; c < columns; c += kVector, pairs += 2 * kVector)
      _mm512_storeu_si512(
          pairs, pairsOfRows(a + c, t + 1 < tokens ? a + stride + c : nullptr, lanes(columns - c)));
}

// sum [16, 16] += the products of some tokens; the sums of all ranks stay in registers.
inline void sumTokens(const bf16* pairs, int64_t pairStride, const bf16* b, int64_t stride,
                      int64_t tokens, __mmask16 mask, __m512 (&sum)[kVector]) {
  for (int64_t t = 0; t < tokens; t += 2, b += 2 * stride, pairs += pairStride) {
    _mm_prefetch(reinterpret_cast<const char*>(b + 32 * stride), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(b + 33 * stride), _MM_HINT_T0);
    const auto right =
        reinterpret_cast<__m512bh>(pairsOfRows(b, t + 1 < tokens ? b + stride : nullptr, mask));
    for (int r = 0; r < kVector; ++r)
      sum[r] = _mm512_dpbf16_ps(sum[r], right, pairAt(pairs + 2 * r));
  }
}

void multiplyOverTokens(const bf16* pairs, int64_t rank, const bf16* b, int64_t stride,
                        int64_t tokens, int64_t columns, float* sum, int64_t sumStride) {
  // Block of tokens and columns that stays in the first-level cache while all of its vectors and
  // ranks are processed.
  constexpr int64_t kTokens = 256, kColumns = 4 * kVector;
  const int64_t pairStride = (rank + kVector - 1) / kVector * kVector * 2;
  for (int64_t first = 0; first < columns; first += kColumns) {
    for (int64_t t = 0; t < tokens; t += kTokens) {
      for (int64_t c = first; c < std::min(columns, first + kColumns); c += kVector) {
        for (int64_t r = 0; r < rank; r += kVector) {
          const __mmask16 mask = lanes(columns - c);
          float* at = sum + r * sumStride + c;
          const int64_t height = std::min(kVector, rank - r);
          __m512 part[kVector];
          for (int64_t i = 0; i < kVector; ++i)
            part[i] = t > 0 && i < height ? _mm512_maskz_loadu_ps(mask, at + i * sumStride)
                                          : _mm512_setzero_ps();
          sumTokens(pairs + t / 2 * pairStride + 2 * r, pairStride, b + t * stride + c, stride,
                    std::min(kTokens, tokens - t), mask, part);
          for (int64_t i = 0; i < height; ++i)
            _mm512_mask_storeu_ps(at + i * sumStride, mask, part[i]);
        }
      }
    }
  }
}

constexpr Table kTable = {pack,     transpose, multiply, multiplyNarrow, multiplyOverTokens,
                          pairRows, score,     weigh,    slope,          narrowRows};

}  // namespace

const Table& avx512Table() { return kTable; }

}  // namespace keel::blocks
