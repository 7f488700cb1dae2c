#pragma once

namespace keel::rows {

enum class InstructionSet { baseline, avx2, avx512, avx512Bf16 };

// The best instruction set that this processor supports and ATEN_CPU_CAPABILITY allows: LibTorch's
// own setting limits these loops too.
InstructionSet instructionSet();

// Whether the processor has matrix units for bfloat16.
bool hasAmx();

}  // namespace keel::rows
