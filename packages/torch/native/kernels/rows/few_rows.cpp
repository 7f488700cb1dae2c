#include "few_rows.h"

#include "instruction_set.h"

namespace keel::rows {

#ifdef KEEL_X86
FewRows fewRowsAvx2();
FewRows fewRowsAvx512();
#endif

FewRows fewRows() {
#ifdef KEEL_X86
  static const FewRows chosen = [] {
    const InstructionSet set = instructionSet();
    if (set == InstructionSet::avx2) return fewRowsAvx2();
    if (set == InstructionSet::avx512) return fewRowsAvx512();
    return FewRows{nullptr};
  }();
  return chosen;
#else
  return nullptr;
#endif
}

}  // namespace keel::rows
