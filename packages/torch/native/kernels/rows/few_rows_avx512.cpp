// For AVX-512; compiled with -march=x86-64-v4.
#define KEEL_FEW_ROWS fewRowsAvx512
#define KEEL_FEW_ROWS_BYTES 64
#include "few_rows.inc"
