#include "dot.h"

#include "../rows/instruction_set.h"

namespace keel::quantised {

#ifdef KEEL_BLOCKS
bool avx512Bf16Dot(const DotTask& task);
#endif

bool dot([[maybe_unused]] const DotTask& task) {
#ifdef KEEL_BLOCKS
  static const bool has = rows::instructionSet() == rows::InstructionSet::avx512Bf16;
  if (has) return avx512Bf16Dot(task);
#endif
  return false;
}

}  // namespace keel::quantised
