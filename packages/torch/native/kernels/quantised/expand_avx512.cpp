// Compiled with the flags of rows/rows_avx512.cpp.
#define KEEL_EXPAND_SET avx512Expand
#include "expand.inc"
