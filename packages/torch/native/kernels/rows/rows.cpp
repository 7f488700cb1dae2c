#include "instruction_set.h"
#include "math.h"

namespace keel::rows {

template <>
float narrowed<float>(float value) {
  return value;
}
template <>
bf16 narrowed<bf16>(float value) {
  return narrow<bf16>(value);
}

const Tables& baselineTables();
#ifdef KEEL_X86
const Tables& avx2Tables();
const Tables& avx512Tables();
#endif

namespace {

const Tables& choose() {
#ifdef KEEL_X86
  switch (instructionSet()) {
    case InstructionSet::avx512Bf16:
    case InstructionSet::avx512:
      return avx512Tables();
    case InstructionSet::avx2:
      return avx2Tables();
    case InstructionSet::baseline:
      break;
  }
#endif
  return baselineTables();
}

}  // namespace

const Tables& tables() {
  static const Tables& chosen = choose();
  return chosen;
}

}  // namespace keel::rows
