#pragma once

namespace keel::rows {

enum class InstructionSet { baseline, avx2, avx512, avx512Bf16 };

// The best that this processor runs and ATEN_CPU_CAPABILITY allows: LibTorch's own switch restrains
// these loops too.
InstructionSet instructionSet();

// Whether the processor has matrix units for bfloat16.
bool hasAmx();

}  // namespace keel::rows
