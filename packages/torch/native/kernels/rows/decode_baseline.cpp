// For any processor of the architecture.
#define KEEL_DECODE_SET baselineDecodeLoops
#include "decode.inc"
