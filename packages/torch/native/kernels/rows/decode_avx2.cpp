// For AVX2 and FMA; compiled with -march=x86-64-v3.
#define KEEL_DECODE_SET avx2DecodeLoops
#include "decode.inc"
