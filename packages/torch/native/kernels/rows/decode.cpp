#include "decode.h"

#include "instruction_set.h"

namespace keel::rows {

const DecodeLoops& baselineDecodeLoops();
#ifdef KEEL_X86
const DecodeLoops& avx2DecodeLoops();
const DecodeLoops& avx512DecodeLoops();
#ifdef KEEL_BLOCKS
const DecodeLoops& avx512Bf16DecodeLoops();
#endif
#endif

namespace {

const DecodeLoops& choose() {
#ifdef KEEL_X86
  switch (instructionSet()) {
#ifdef KEEL_BLOCKS
    case InstructionSet::avx512Bf16:
      return avx512Bf16DecodeLoops();
#else
    case InstructionSet::avx512Bf16:
#endif
    case InstructionSet::avx512:
      return avx512DecodeLoops();
    case InstructionSet::avx2:
      return avx2DecodeLoops();
    case InstructionSet::baseline:
      break;
  }
#endif
  return baselineDecodeLoops();
}

}  // namespace

const DecodeLoops& decodeLoops() {
  static const DecodeLoops& chosen = choose();
  return chosen;
}

}  // namespace keel::rows
