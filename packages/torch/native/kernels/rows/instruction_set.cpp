#include "instruction_set.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#ifdef KEEL_X86
#include <cpuid.h>
#endif

namespace keel::rows {

InstructionSet instructionSet() {
#ifdef KEEL_X86
  const char* limit = std::getenv("ATEN_CPU_CAPABILITY");
  const bool plain = limit != nullptr && std::strcmp(limit, "default") == 0;
  const bool narrow = limit != nullptr && std::strcmp(limit, "avx2") == 0;
  if (!plain && !narrow && __builtin_cpu_supports("avx512f") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return __builtin_cpu_supports("avx512bf16") ? InstructionSet::avx512Bf16
                                                : InstructionSet::avx512;
  if (!plain && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return InstructionSet::avx2;
#endif
  return InstructionSet::baseline;
}

bool hasAmx() {
#ifdef KEEL_X86
  // oneDNN's own switch: without its matrix products, Keel's block products are the faster ones.
  for (const char* name : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) {
    const char* limit = std::getenv(name);
    if (limit != nullptr && std::strncmp(limit, "AVX", 3) == 0 &&
        std::strstr(limit, "AMX") == nullptr)
      return false;
  }
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d >> 22 & 1u) != 0;  // AMX-BF16
#else
  return false;
#endif
}

}  // namespace keel::rows
