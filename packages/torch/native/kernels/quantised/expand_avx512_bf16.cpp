// Compiled with the flags of rows/decode_avx512_bf16.cpp.
#define KEEL_EXPAND_SET avx512Bf16Expand
#include "expand.inc"
