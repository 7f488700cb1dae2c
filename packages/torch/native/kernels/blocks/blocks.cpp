#include "blocks.h"

#include "../rows/instruction_set.h"

namespace keel::blocks {

#ifdef KEEL_BLOCKS
const Table& avx512Table();
#endif

const Table* table() {
#ifdef KEEL_BLOCKS
  static const bool taken =
      rows::instructionSet() == rows::InstructionSet::avx512Bf16 && !rows::hasAmx();
  return taken ? &avx512Table() : nullptr;
#else
  return nullptr;
#endif
}

}  // namespace keel::blocks
