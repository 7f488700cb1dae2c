// Products with weights whose codes become small whole numbers in bfloat16. Compiled with the flags
// of rows/decode_avx512_bf16.cpp.
#include <immintrin.h>

#include <utility>
#include <vector>

#include "dot_avx512.h"
#include "dot_formats_avx512.h"

namespace keel::quantised {
namespace {

template <typename Format, typename Body, int... g>
inline void eachGroup(const Format& format, const typename Format::Block& block, Body body,
                      std::integer_sequence<int, g...>) {
  (body(std::integral_constant<int, g>{}, format.template group<g>(block)), ...);
}

template <typename Format, int Rows, int Features>
void product(const Format& format, const DotTask& task, int64_t row, int64_t feature,
             const float* totals) {
  __m512 sums[Features][Rows];
  float least[Features][Rows];
  for (int f = 0; f < Features; ++f)
    for (int r = 0; r < Rows; ++r) {
      sums[f][r] = _mm512_setzero_ps();
      least[f][r] = 0;
    }
  const int64_t perRow = task.inner / kGroup;
  const bf16* x = task.x + row * task.inner;
  for (int64_t b = 0; b < task.blocksPerRow; ++b) {
    for (int f = 0; f < Features; ++f) {
      const int64_t place = task.first + (feature + f) * task.blocksPerRow + b;
      const uint8_t* at = task.blocks + place * Format::bytes;
      fetchAhead<Format::bytes>(at);
      const auto block = format.open(at);
      eachGroup(
          format, block,
          [&](auto g, const Group& group) {
            const int64_t own = b * Format::groups + g;
            for (int r = 0; r < Rows; ++r) {
              const auto right = reinterpret_cast<__m512bh>(
                  _mm512_loadu_si512(x + r * task.inner + own * kGroup));
              __m512 sum = _mm512_dpbf16_ps(_mm512_setzero_ps(),
                                            reinterpret_cast<__m512bh>(group.words), right);
              if constexpr (Format::more)
                sum = _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(group.more), right);
              sums[f][r] = _mm512_fmadd_ps(group.scale, sum, sums[f][r]);
              if constexpr (Format::least)
                least[f][r] += group.minimum * totals[(row + r) * perRow + own];
            }
          },
          std::make_integer_sequence<int, Format::groups>{});
    }
  }
  for (int f = 0; f < Features; ++f)
    for (int r = 0; r < Rows; ++r)
      task.y[(row + r) * task.stride + feature + f] =
          _mm512_reduce_add_ps(sums[f][r]) - least[f][r];
}

template <typename Format, int Rows>
void someRows(const Format& format, const DotTask& task, int64_t row, const float* totals) {
  int64_t feature = 0;
  for (; feature + kFeatures <= task.features; feature += kFeatures)
    product<Format, Rows, kFeatures>(format, task, row, feature, totals);
  for (; feature < task.features; ++feature)
    product<Format, Rows, 1>(format, task, row, feature, totals);
}

template <typename Format>
bool computed(const Format& format, const DotTask& task) {
  // Sums of x over groups, which minima multiply.
  thread_local std::vector<float> totals;
  if (Format::least) {
    const int64_t count = task.rows * task.inner / kGroup;
    if (static_cast<int64_t>(totals.size()) < count) totals.resize(count);
    const auto ones = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3f80));
    for (int64_t i = 0; i < count; ++i)
      totals[i] = _mm512_reduce_add_ps(_mm512_dpbf16_ps(
          _mm512_setzero_ps(), ones,
          reinterpret_cast<__m512bh>(_mm512_loadu_si512(task.x + i * kGroup))));
  }
  int64_t row = 0;
  for (; row + 4 <= task.rows; row += 4) someRows<Format, 4>(format, task, row, totals.data());
  for (; row < task.rows; ++row) someRows<Format, 1>(format, task, row, totals.data());
  return true;
}

}  // namespace

bool avx512Bf16Dot(const DotTask& task) {
  switch (task.type) {
    case Type::q4_0:
      return computed(Q4_0{}, task);
    case Type::q4_1:
      return computed(Q4_1{}, task);
    case Type::q5_0:
      return computed(Q5_0{}, task);
    case Type::q5_1:
      return computed(Q5_1{}, task);
    case Type::q8_0:
      return computed(Q8_0{}, task);
    case Type::iq4_nl:
      return computed(Iq4Nl{}, task);
    case Type::iq4_xs:
      return computed(Iq4Xs{}, task);
    case Type::q4_k:
      return computed(Q4_K{}, task);
    case Type::q5_k:
      return computed(Q5_K{}, task);
    case Type::q6_k:
      return computed(Q6_K{}, task);
    case Type::nf4:
    case Type::nf4Double:
      return avx512Bf16DotNf4(task);
    default:
      return false;
  }
}

}  // namespace keel::quantised
