// For AVX-512; compiled with -march=x86-64-v4.
#define KEEL_DECODE_SET avx512DecodeLoops
#include "decode.inc"
