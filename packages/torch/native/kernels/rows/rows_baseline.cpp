// For any processor.
#define KEEL_ROWS_SET baselineTables
#include "rows.inc"
