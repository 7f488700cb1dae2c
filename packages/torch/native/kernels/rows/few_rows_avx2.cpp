// For AVX2 and FMA; compiled with -march=x86-64-v3.
#define KEEL_FEW_ROWS fewRowsAvx2
#define KEEL_FEW_ROWS_BYTES 32
#include "few_rows.inc"
