#include "expand.h"

#include <array>
#include <cmath>
#include <limits>

#include "../rows/instruction_set.h"

namespace keel::quantised {

namespace {

float valueOf(uint32_t bits) {
  const uint32_t exponent = bits >> 10 & 31u, fraction = bits & 1023u;
  float size = std::ldexp(static_cast<float>(exponent == 0 ? fraction : fraction + 1024u),
                          static_cast<int>(exponent == 0 ? 1u : exponent) - 25);
  if (exponent == 31)
    size = fraction == 0 ? std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  return (bits & 0x8000u) != 0 ? -size : size;
}

const std::array<float, 65536>& allHalves() {
  static const auto* values = [] {
    auto* all = new std::array<float, 65536>;
    for (uint32_t bits = 0; bits < 65536; ++bits) (*all)[bits] = valueOf(bits);
    return all;
  }();
  return *values;
}

}  // namespace

const float* const halves = allHalves().data();

const Expand& baselineExpand();
#ifdef KEEL_X86
const Expand& avx2Expand();
const Expand& avx512Expand();
#endif
#ifdef KEEL_BLOCKS
const Expand& avx512Bf16Expand();
#endif

const Expand& expand() {
  static const Expand& chosen = []() -> const Expand& {
#ifdef KEEL_X86
    switch (rows::instructionSet()) {
      case rows::InstructionSet::avx512Bf16:
#ifdef KEEL_BLOCKS
        return avx512Bf16Expand();
#endif
      case rows::InstructionSet::avx512:
        return avx512Expand();
      case rows::InstructionSet::avx2:
        return avx2Expand();
      case rows::InstructionSet::baseline:
        break;
    }
#endif
    return baselineExpand();
  }();
  return chosen;
}

}  // namespace keel::quantised
