#include "blocks.h"

#include <cstdlib>

namespace keel::blocks {

#ifdef KEEL_BLOCKS
const Table& avx512Table();
#endif

namespace {

const Table* choose() {
#ifdef KEEL_BLOCKS
  // LibTorch's own switch: set to anything, it asks for less than all that the processor has.
  if (std::getenv("ATEN_CPU_CAPABILITY") != nullptr) return nullptr;
  const bool known = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  if (known && !__builtin_cpu_supports("amx-bf16")) return &avx512Table();
#endif
  return nullptr;
}

}  // namespace

const Table* table() {
  static const Table* chosen = choose();
  return chosen;
}

}  // namespace keel::blocks
