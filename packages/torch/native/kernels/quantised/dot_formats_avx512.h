// How the codes and scales of each format become groups of 32 weights in bfloat16 and their scales.
// Layouts of blocks are in expand.inc.
#pragma once
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "dot_avx512.h"
#include "scales.h"

namespace keel::quantised {
namespace {

inline __m256i narrowed(__m512 x) { return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x)); }

// 32 words: the bfloat16 values of `Period` codes, repeated. A look-up uses five bits of its index,
// so with 16 values it ignores all but four.
template <int Period, typename Value>
inline __m512i tableOf(Value value) {
  alignas(64) float values[32];
  for (int i = 0; i < 32; ++i) values[i] = static_cast<float>(value(i % Period));
  return _mm512_inserti64x4(_mm512_castsi256_si512(narrowed(_mm512_load_ps(values))),
                            narrowed(_mm512_load_ps(values + 16)), 1);
}

// A group of 32 weights: scale (words + more) . x - minimum sum(x)
struct Group {
  __m512i words, more;
  __m512 scale;
  float minimum;
};

inline __m512i none() { return _mm512_setzero_si512(); }
inline __m512i lookUp(__m512i table, __m512i at) { return _mm512_permutexvar_epi16(at, table); }
// 32 bytes as words
inline __m512i words(const uint8_t* at) {
  return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}
// 16 bytes: the low nibbles, then the high ones; above them, other bits
inline __m512i nibbles(const uint8_t* at) {
  const __m256i low = _mm256_cvtepu8_epi16(load16(at));
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), _mm256_srli_epi16(low, 4), 1);
}
// 32 bits become the fifth bits of 32 codes.
inline __m512i withFifth(__m512i low, const uint8_t* at) {
  uint32_t bits;
  std::memcpy(&bits, at, 4);
  const __m512i own = _mm512_and_si512(low, _mm512_set1_epi16(15));
  return _mm512_or_si512(own, _mm512_maskz_set1_epi16(bits, 16));
}
// Bit 4 of `high`, the lower bits of `low`.
inline __m512i joined(__m512i low, __m512i high) {
  return _mm512_ternarylogic_epi32(_mm512_set1_epi16(16), high, low, 0xca);
}

// Formats of one group a block; those below say what is different.
struct Alone {
  static constexpr int groups = 1;
  static constexpr bool least = false, more = false;
  struct Block {
    const uint8_t* at;
  };
  Block open(const uint8_t* at) const { return {at}; }
};

struct Q4_0 : Alone {
  static constexpr int bytes = 18;
  const __m512i table = tableOf<16>([](int q) { return q - 8; });
  template <int g>
  Group group(const Block& block) const {
    return {lookUp(table, nibbles(block.at + 2)), none(), _mm512_set1_ps(half(block.at)), 0};
  }
};

struct Q4_1 : Alone {
  static constexpr int bytes = 20;
  static constexpr bool least = true;
  const __m512i whole = tableOf<16>([](int q) { return q; });
  template <int g>
  Group group(const Block& block) const {
    const uint8_t* at = block.at;
    return {lookUp(whole, nibbles(at + 4)), none(), _mm512_set1_ps(half(at)), -half(at + 2)};
  }
};

struct Q5_0 : Alone {
  static constexpr int bytes = 22;
  const __m512i wide = tableOf<32>([](int q) { return q - 16; });
  template <int g>
  Group group(const Block& block) const {
    const uint8_t* at = block.at;
    return {lookUp(wide, withFifth(nibbles(at + 6), at + 2)), none(), _mm512_set1_ps(half(at)), 0};
  }
};

struct Q5_1 : Alone {
  static constexpr int bytes = 24;
  static constexpr bool least = true;
  const __m512i wide = tableOf<32>([](int q) { return q; });
  template <int g>
  Group group(const Block& block) const {
    const uint8_t* at = block.at;
    return {lookUp(wide, withFifth(nibbles(at + 8), at + 4)), none(), _mm512_set1_ps(half(at)),
            -half(at + 2)};
  }
};

// A signed byte is 16 times its upper nibble, with its sign, plus its lower one.
struct Q8_0 : Alone {
  static constexpr int bytes = 34;
  static constexpr bool more = true;
  const __m512i low = tableOf<16>([](int q) { return q; }),
                high = tableOf<16>([](int q) { return 16 * (q < 8 ? q : q - 16); });
  template <int g>
  Group group(const Block& block) const {
    const __m512i q = words(block.at + 2);
    return {lookUp(high, _mm512_srli_epi16(q, 4)), lookUp(low, q), _mm512_set1_ps(half(block.at)),
            0};
  }
};

struct Iq4Nl : Alone {
  static constexpr int bytes = 18;
  const __m512i own = tableOf<16>([](int q) { return kIq4Levels[q]; });
  template <int g>
  Group group(const Block& block) const {
    return {lookUp(own, nibbles(block.at + 2)), none(), _mm512_set1_ps(half(block.at)), 0};
  }
};

struct Iq4Xs : Iq4Nl {
  static constexpr int bytes = 136, groups = 8;
  template <int g>
  Group group(const Block& block) const {
    const uint8_t* at = block.at;
    uint16_t high;
    std::memcpy(&high, at + 2, 2);
    const int scale = (at[4 + g / 2] >> (4 * (g & 1)) & 15) | (high >> (2 * g) & 3) << 4;
    return {lookUp(own, nibbles(at + 8 + 16 * g)), none(),
            _mm512_set1_ps(half(at) * static_cast<float>(scale - 32)), 0};
  }
};

struct Q4_K {
  static constexpr int bytes = 144, groups = 8;
  static constexpr bool least = true, more = false;
  const __m512i table = tableOf<32>([](int q) { return q % 16; }),
                wide = tableOf<32>([](int q) { return q; });
  struct Block {
    const uint8_t* at;
    float scales[8], minima[8];
  };
  Block open(const uint8_t* at) const {
    Block block{at, {}, {}};
    // 12 bytes: six bits of each scale and minimum; the upper four groups' are split.
    uint32_t parts[3];
    std::memcpy(parts, at + 4, 12);
    const uint32_t upper[4] = {parts[0] & 0x3f3f3f3fu,
                               (parts[2] & 0x0f0f0f0fu) | (parts[0] >> 6 & 0x03030303u) << 4,
                               parts[1] & 0x3f3f3f3fu,
                               (parts[2] >> 4 & 0x0f0f0f0fu) | (parts[1] >> 6 & 0x03030303u) << 4};
    const auto store = [](const uint32_t* from, float factor, float* to) {
      const __m128i some = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
      _mm256_storeu_ps(to, _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(some)),
                                         _mm256_set1_ps(factor)));
    };
    store(upper, half(at), block.scales);
    store(upper + 2, half(at + 2), block.minima);
    return block;
  }
  template <int g>
  Group group(const Block& block) const {
    const __m512i pairs = words(block.at + 16 + 32 * (g / 2)),
                  own = g % 2 == 0 ? pairs : _mm512_srli_epi16(pairs, 4);
    return {lookUp(table, own), none(), _mm512_set1_ps(block.scales[g]), block.minima[g]};
  }
};

struct Q5_K : Q4_K {
  static constexpr int bytes = 176;
  template <int g>
  Group group(const Block& block) const {
    const __m512i pairs = words(block.at + 48 + 32 * (g / 2)), bits = words(block.at + 16),
                  own = g % 2 == 0 ? pairs : _mm512_srli_epi16(pairs, 4),
                  fifth = g < 4 ? _mm512_slli_epi16(bits, 4 - std::min(g, 4))
                                : _mm512_srli_epi16(bits, std::max(g, 4) - 4);
    return {lookUp(wide, joined(own, fifth)), none(), _mm512_set1_ps(block.scales[g]),
            block.minima[g]};
  }
};

// Each scale is that of 16 weights: eight lanes of a sum.
struct Q6_K {
  static constexpr int bytes = 210, groups = 8;
  static constexpr bool least = false, more = true;
  const __m512i low = tableOf<16>([](int q) { return q; }),
                high = tableOf<4>([](int q) { return 16 * q - 32; });
  struct Block {
    const uint8_t* at;
    __m512 scales;
  };
  Block open(const uint8_t* at) const {
    const __m512 own = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load16(at + 192)));
    return {at, _mm512_mul_ps(own, _mm512_set1_ps(half(at + 208)))};
  }
  template <int g>
  Group group(const Block& block) const {
    constexpr int side = g / 4, part = g % 4;
    const __m512i pairs = words(block.at + 64 * side + 32 * (part % 2)),
                  bits = words(block.at + 128 + 32 * side);
    const __m512i places = _mm512_mask_blend_epi32(0xff00, _mm512_set1_epi32(2 * g),
                                                   _mm512_set1_epi32(2 * g + 1));
    return {lookUp(low, part < 2 ? pairs : _mm512_srli_epi16(pairs, 4)),
            lookUp(high, _mm512_srli_epi16(bits, 2 * part)),
            _mm512_permutexvar_ps(places, block.scales), 0};
  }
};

}  // namespace
}  // namespace keel::quantised
