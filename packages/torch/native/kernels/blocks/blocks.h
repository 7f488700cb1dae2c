// Block products of bfloat16 with sums in float32, for processors with AVX-512 BF16 and no matrix
// unit; elsewhere LibTorch's own products are taken. No ATen here, as in rows/.
//
// The second operand [depth, columns] comes in panels of kPanel columns: pairs of rows interleaved,
// [depth / 2, kPanel, 2], zeros where it has no row or column. An element of a product is summed in
// the order of depth, whatever the rows, columns and threads around it, so it does not depend on
// the batch it stands in.
#pragma once
#include "../rows/rows.h"

namespace keel::blocks {

using rows::bf16;

constexpr int64_t kPanel = 48;
// Floats of a vector.
constexpr int64_t kVector = 16;

constexpr int64_t panels(int64_t columns) { return (columns + kPanel - 1) / kPanel; }
// Elements of one panel.
constexpr int64_t panelSize(int64_t depth) { return (depth + 1) / 2 * 2 * kPanel; }

// One term of a product: a [rows, depth] with `stride` between rows, times a panel. Depth is even;
// an odd one is rounded up by whoever pads a with a zero.
struct Term {
  const bf16* a;
  int64_t stride;
  const bf16* panel;
  int64_t depth;
};

// What is known of a row of logits after some of its columns.
struct RowScore {
  float top, sum, weighted;  // the largest x, the sum of e^(x - top), and of e^(x - top) (x - top)
  float target;              // x of the target
  float bestRaw;             // the largest logit before scale and softcap, and its column
  int64_t best;
};

// How logits become x: scale, then softcap (0: none).
struct Finish {
  float scale, softcap;
};

struct Table {
  // b [depth, columns <= kPanel], element (d, c) at from[d * rowStride + c * columnStride], one of
  // the strides 1 -> panel
  void (*pack)(const bf16* from, int64_t rowStride, int64_t columnStride, int64_t depth,
               int64_t columns, bf16* panel);
  // a [depth, columns], rows with `stride` between them -> its transpose [columns, depth rounded up
  // to even], zero-filled
  void (*transpose)(const bf16* from, int64_t stride, int64_t depth, int64_t columns, bf16* to,
                    int64_t toStride);
  // c [rows, columns <= kPanel] (+)= the sum of the terms
  void (*multiply)(int64_t rows, int64_t columns, const Term* terms, int64_t count, float* c,
                   int64_t stride, bool add);
  // c = the sum of the terms + bias [columns], rounded once; bias may be null
  void (*multiplyNarrow)(int64_t rows, int64_t columns, const Term* terms, int64_t count,
                         const float* bias, bf16* c, int64_t stride);
  // sum [rank, columns] = a^T b over tokens; pairs [tokens / 2 rounded up, rank rounded up to
  // kVector, 2] is a by pairs of its rows (`pairRows`), b [tokens, columns] lies as it is.
  void (*multiplyOverTokens)(const bf16* pairs, int64_t rank, const bf16* b, int64_t stride,
                             int64_t tokens, int64_t columns, float* sum, int64_t sumStride);
  void (*pairRows)(const bf16* a, int64_t stride, int64_t tokens, int64_t columns, bf16* pairs);
  // Takes the next columns [first, first + columns) of logits [rows, stride] into the rows' scores.
  // With weights, they become e^(x - top) dx/dlogit, and sums [rows, sumSize], weighted by them so
  // far, are scaled to the new top.
  void (*score)(float* logits, int64_t stride, int64_t rows, int64_t first, int64_t columns,
                Finish finish, const int64_t* targets, RowScore* scores, bf16* weights,
                int64_t weightStride, float* sums, int64_t sumSize);
  // Attention of some queries: scores [rows, stride] over `width` keys, a multiple of 16 -> e^(x -
  // top) of the keys [firsts, lasts) that each query sees, zeros elsewhere; tops and sums [rows] of
  // them.
  void (*weigh)(float* scores, int64_t stride, int64_t rows, int64_t width, Finish finish,
                const int64_t* firsts, const int64_t* lasts, bf16* weights, int64_t weightStride,
                float* tops, float* sums);
  // Attention backward: scores and gradients of weights, keys by kPanel queries -> weights and
  // gradients of scores, zeros for queries outside [firsts, lasts) of each key. logsumexp and delta
  // [kPanel] are the queries'.
  void (*slope)(const float* scores, const float* gWeights, int64_t rows, Finish finish,
                const float* logsumexp, const float* delta, const int64_t* firsts,
                const int64_t* lasts, bf16* weights, bf16* gScores);
  // to [rows, columns] = from, each row by its factor (null: 1)
  void (*narrowRows)(const float* from, int64_t stride, int64_t rows, int64_t columns,
                     const float* factors, bf16* to, int64_t toStride);
};

// Null where the processor has not what it takes, or something better: a matrix unit, which
// LibTorch uses.
const Table* table();

}  // namespace keel::blocks
