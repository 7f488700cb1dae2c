// Compiled with the flags of rows/rows_avx2.cpp.
#define KEEL_EXPAND_SET avx2Expand
#include "expand.inc"
