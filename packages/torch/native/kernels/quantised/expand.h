// Weights in the block formats of ggml and in NF4, expanded a few blocks at a time. Chosen at run
// time as in rows.h. No ATen here.
//
// Scales are half precision times small integers, so every value is exact before its one rounding
// to float32, and matches the Python package `gguf` bit for bit; NF4 matches bitsandbytes. bfloat16
// is that float32, rounded to nearest even.
#pragma once
#include <cstdint>

#include "../rows/rows.h"

namespace keel::quantised {

using rows::bf16;

// Weights that are expanded together: every block of every format is a multiple.
constexpr int64_t kGroup = 32;

enum class Type : int {
  f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, iq4_xs, nf4,
  nf4Double
};

// The 16 levels of NF4: quantiles of a normal distribution (Dettmers et al. 2023, arXiv:2305.14314,
// appendix E).
alignas(64) constexpr float kNf4Levels[16] = {
    -1.f,
    -.6961928009986877f,
    -.5250730514526367f,
    -.39491748809814453f,
    -.28444138169288635f,
    -.18477343022823334f,
    -.09105003625154495f,
    0.f,
    .07958029955625534f,
    .16093020141124725f,
    .24611230194568634f,
    .33791524171829224f,
    .44070982933044434f,
    .5626170039176941f,
    .7229568362236023f,
    1.f,
};

// What the blocks of a whole weight share. Only nf4Double has it: the 256 values of a scale's code,
// the offset of all scales, and a factor for each 256 blocks.
struct Shared {
  const float* codes = nullptr;
  float offset = 0;
  const float* factors = nullptr;
};

// The float32 value of every half-precision number, indexed by its 16 bits.
extern const float* const halves;

struct Expand {
  // `groups` groups of 32 weights, from the first of block `first` on -> to. Whole blocks.
  void (*toFloat)(Type type, const uint8_t* blocks, const Shared& shared, int64_t first,
                  int64_t groups, float* to);
  void (*toBf16)(Type type, const uint8_t* blocks, const Shared& shared, int64_t first,
                 int64_t groups, bf16* to);
};

const Expand& expand();

}  // namespace keel::quantised
