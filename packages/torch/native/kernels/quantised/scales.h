// What reading a block needs in every form of the loops. Anonymous, because each instruction set
// compiles its own copy.
#pragma once
#include <cstring>

#include "expand.h"

namespace keel::quantised {
namespace {

// A load is cheaper than a conversion: it leaves the vector units to the weights.
inline float half(const uint8_t* at) {
  uint16_t bits;
  std::memcpy(&bits, at, 2);
  return halves[bits];
}

// The levels of IQ4_NL and IQ4_XS.
alignas(64) constexpr float kIq4Levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                              1,    13,   25,  38,  53,  69,  89,  113};

// The scale of block `place` of a weight in NF4 with double quantisation. Two roundings, as in
// bitsandbytes: volatile, so that they are not fused to one.
inline float doubleScale(const Shared& shared, uint8_t code, int64_t place) {
  volatile float product = shared.codes[code] * shared.factors[place / 256];
  return product + shared.offset;
}

}  // namespace
}  // namespace keel::quantised
