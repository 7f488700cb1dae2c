// Products with weights in NF4, whose levels are not exact in bfloat16: they are multiplied in
// float32. Compiled with the flags of rows/decode_avx512_bf16.cpp.
#include <immintrin.h>

#include <cstring>
#include <vector>

#include "dot_avx512.h"
#include "scales.h"

namespace keel::quantised {
namespace {

// x [rows, inner] -> of each group of 32, the 16 elements at even places, then those at odd ones: a
// byte has two codes.
const float* evenThenOdd(const DotTask& task) {
  thread_local std::vector<float> turned;
  const int64_t count = task.rows * task.inner;
  if (static_cast<int64_t>(turned.size()) < count) turned.resize(count);
  for (int64_t i = 0; i < count; i += kGroup) {
    const __m512i pairs = _mm512_loadu_si512(task.x + i);
    _mm512_storeu_ps(turned.data() + i, _mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)));
    _mm512_storeu_ps(turned.data() + i + 16,
                     _mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-65536))));
  }
  return turned.data();
}

// Scale of a block, and where its codes start.
inline float nf4Scale(const DotTask& task, int64_t place, const uint8_t*& codes) {
  if (task.type == Type::nf4) {
    const uint8_t* at = task.blocks + place * 36;
    float scale;
    std::memcpy(&scale, at, 4);
    codes = at + 4;
    return scale;
  }
  const uint8_t* at = task.blocks + place * 33;
  codes = at + 1;
  return doubleScale(task.shared, at[0], place);
}

template <int Rows, int Features>
void nf4Product(const DotTask& task, const float* x, int64_t row, int64_t feature) {
  const __m512 table = _mm512_load_ps(kNf4Levels);
  __m512 sums[Features][Rows];
  for (int f = 0; f < Features; ++f)
    for (int r = 0; r < Rows; ++r) sums[f][r] = _mm512_setzero_ps();
  for (int64_t b = 0; b < task.blocksPerRow; ++b) {
    for (int f = 0; f < Features; ++f) {
      const uint8_t* codes;
      const __m512 scale = _mm512_set1_ps(
          nf4Scale(task, task.first + (feature + f) * task.blocksPerRow + b, codes));
      fetchAhead<36>(codes);
      for (int g = 0; g < 2; ++g) {
        const __m512i pairs = _mm512_cvtepu8_epi32(load16(codes + 16 * g));
        // A look-up uses four bits of its index. The first code is in the high nibble.
        const __m512 even = _mm512_permutexvar_ps(_mm512_srli_epi32(pairs, 4), table),
                     odd = _mm512_permutexvar_ps(pairs, table);
        for (int r = 0; r < Rows; ++r) {
          const float* own = x + (row + r) * task.inner + (2 * b + g) * kGroup;
          const __m512 sum = _mm512_fmadd_ps(odd, _mm512_loadu_ps(own + 16),
                                             _mm512_mul_ps(even, _mm512_loadu_ps(own)));
          sums[f][r] = _mm512_fmadd_ps(scale, sum, sums[f][r]);
        }
      }
    }
  }
  for (int f = 0; f < Features; ++f)
    for (int r = 0; r < Rows; ++r)
      task.y[(row + r) * task.stride + feature + f] = _mm512_reduce_add_ps(sums[f][r]);
}

template <int Rows>
void nf4Rows(const DotTask& task, const float* x, int64_t row) {
  int64_t feature = 0;
  for (; feature + kFeatures <= task.features; feature += kFeatures)
    nf4Product<Rows, kFeatures>(task, x, row, feature);
  for (; feature < task.features; ++feature) nf4Product<Rows, 1>(task, x, row, feature);
}

}  // namespace

bool avx512Bf16DotNf4(const DotTask& task) {
  const float* x = evenThenOdd(task);
  int64_t row = 0;
  for (; row + 4 <= task.rows; row += 4) nf4Rows<4>(task, x, row);
  for (; row < task.rows; ++row) nf4Rows<1>(task, x, row);
  return true;
}

}  // namespace keel::quantised
