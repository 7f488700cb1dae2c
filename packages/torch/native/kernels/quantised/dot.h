// Products of a few rows with quantised weights that are never expanded in memory: codes become
// small whole numbers in bfloat16, which are exact, and a group's sum is multiplied by its scale.
// Weights are therefore not rounded to bfloat16, unlike in products of many rows.
#pragma once
#include "expand.h"

namespace keel::quantised {

struct DotTask {
  Type type;
  const uint8_t* blocks;
  Shared shared;
  int64_t first, blocksPerRow;  // the first block of the first feature
  int64_t features;
  const bf16* x;  // [rows, inner]
  int64_t rows, inner;
  float* y;  // [rows, features], rows `stride` apart
  int64_t stride;
};

// Whether it was computed: false for a format or a processor that it does not support. The order of
// a sum depends only on `inner`.
bool dot(const DotTask& task);

}  // namespace keel::quantised
