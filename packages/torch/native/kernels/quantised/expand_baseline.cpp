// Compiled with the flags of rows/rows_baseline.cpp.
#define KEEL_EXPAND_SET baselineExpand
#include "expand.inc"
