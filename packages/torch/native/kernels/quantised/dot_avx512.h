// What the products with quantised weights share where the processor has AVX-512 BF16.
#pragma once
#include <immintrin.h>

#include "dot.h"

namespace keel::quantised {

// Of a weight in NF4, with or without double quantisation.
bool avx512Bf16DotNf4(const DotTask& task);

namespace {

inline __m128i load16(const uint8_t* at) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// Weights that are needed soon are in main memory.
template <int Bytes>
inline void fetchAhead(const uint8_t* block) {
  constexpr int kAhead = 2048, kLine = 64;
  for (int at = 0; at < Bytes; at += kLine) __builtin_prefetch(block + kAhead + at, 0, 2);
}

constexpr int kFeatures = 2;  // at once: enough sums to hide the latency of their additions

}  // namespace
}  // namespace keel::quantised
