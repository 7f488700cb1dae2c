// For AVX-512 with bfloat16 products; compiled with -march=x86-64-v4 -mavx512bf16.
#define KEEL_DECODE_SET avx512Bf16DecodeLoops
#include "decode.inc"
