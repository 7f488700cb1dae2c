#include "math.h"

#include <cstdlib>
#include <cstring>

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
  // LibTorch's own switch: the same variable restrains its kernels and these.
  const char* limit = std::getenv("ATEN_CPU_CAPABILITY");
  const bool plain = limit != nullptr && std::strcmp(limit, "default") == 0;
  const bool narrow = limit != nullptr && std::strcmp(limit, "avx2") == 0;
  if (!plain && !narrow && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return avx512Tables();
  if (!plain && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2Tables();
#endif
  return baselineTables();
}

}  // namespace

const Tables& tables() {
  static const Tables& chosen = choose();
  return chosen;
}

}  // namespace keel::rows
