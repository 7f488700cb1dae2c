// For AVX-512; compiled with -march=x86-64-v4.
#define KEEL_ROWS_SET avx512Tables
#include "rows.inc"
