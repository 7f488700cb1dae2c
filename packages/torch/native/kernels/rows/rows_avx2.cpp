// For AVX2 and FMA; compiled with -march=x86-64-v3.
#define KEEL_ROWS_SET avx2Tables
#include "rows.inc"
