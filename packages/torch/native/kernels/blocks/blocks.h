// Block products of bfloat16 with sums in float32, for processors with AVX-512 BF16 but no matrix
// unit; others use LibTorch's own products. No ATen here, as in rows/.
//
// The second operand [depth, columns] is stored in panels of kPanel columns: pairs of rows
// interleaved, [depth / 2, kPanel, 2], zero-padded. Each element of a product is summed in the
// order of depth, regardless of the rows, columns and threads around it, so its value does not
// depend on the batch.
#pragma once
#include "../rows/rows.h"

namespace keel::blocks {

using rows::bf16;

constexpr int64_t kPanel = 48;
// Floats in a vector.
constexpr int64_t kVector = 16;

constexpr int64_t panels(int64_t columns) { return (columns + kPanel - 1) / kPanel; }
// Elements in one panel.
constexpr int64_t panelSize(int64_t depth) { return (depth + 1) / 2 * 2 * kPanel; }

// One term of a product: a [rows, depth] with `stride` between rows, times a panel. Depth is even;
// callers pad an odd depth of a with a zero.
struct Term {
  const bf16* a;
  int64_t stride;
  const bf16* panel;
  int64_t depth;
};

// Running statistics of a row of logits after some of its columns.
struct RowScore {
  float top, sum, weighted;  // the largest x, the sum of e^(x - top), and of e^(x - top) (x - top)
  float target;              // x of the target
  float bestRaw;             // the largest logit before scale and softcap, and its column
  int64_t best;
};

// How logits become x: scale, then softcap (0: no cap).
struct Finish {
  float scale, softcap;
};

struct Table {
  // b [depth, columns <= kPanel], with element (d, c) at from[d * rowStride + c * columnStride] and
  // one of the strides 1 -> panel
  void (*pack)(const bf16* from, int64_t rowStride, int64_t columnStride, int64_t depth,
               int64_t columns, bf16* panel);
  // a [depth, columns], rows `stride` apart -> its transpose [columns, depth rounded up to even],
  // zero-padded
  void (*transpose)(const bf16* from, int64_t stride, int64_t depth, int64_t columns, bf16* to,
                    int64_t toStride);
  // c [rows, columns <= kPanel] (+)= the sum of the terms
  void (*multiply)(int64_t rows, int64_t columns, const Term* terms, int64_t count, float* c,
                   int64_t stride, bool add);
  // c = the sum of the terms + bias [columns], rounded once; bias may be null
  void (*multiplyNarrow)(int64_t rows, int64_t columns, const Term* terms, int64_t count,
                         const float* bias, bf16* c, int64_t stride);
  // sum [rank, columns] = a^T b over tokens. pairs [tokens / 2 rounded up, rank rounded up to
  // kVector, 2] is a, by pairs of its rows (`pairRows`); b [tokens, columns] is not rearranged.
  void (*multiplyOverTokens)(const bf16* pairs, int64_t rank, const bf16* b, int64_t stride,
                             int64_t tokens, int64_t columns, float* sum, int64_t sumStride);
  void (*pairRows)(const bf16* a, int64_t stride, int64_t tokens, int64_t columns, bf16* pairs);
  // Adds the next columns [first, first + columns) of logits [rows, stride] to the rows' scores.
  // With weights, the logits become e^(x - top) dx/dlogit, and the sums [rows, sumSize] weighted by
  // them so far are rescaled to the new top. `allowed` [rows, words] has a bit for each column of
  // the whole row (null: all set), and `first` is then a multiple of its 32 bits: columns without
  // theirs do not count, and have the weight 0.
  void (*score)(float* logits, int64_t stride, int64_t rows, int64_t first, int64_t columns,
                Finish finish, const int64_t* targets, RowScore* scores, bf16* weights,
                int64_t weightStride, float* sums, int64_t sumSize, const int32_t* allowed,
                int64_t allowedStride);
  // Attention of some queries: scores [rows, stride] over `width` keys, a multiple of 16 -> e^(x -
  // top) of the keys [firsts, lasts) that each query sees, zeros elsewhere; and their tops and sums
  // [rows].
  void (*weigh)(float* scores, int64_t stride, int64_t rows, int64_t width, Finish finish,
                const int64_t* firsts, const int64_t* lasts, bf16* weights, int64_t weightStride,
                float* tops, float* sums);
  // Attention backward: scores and gradients of weights, keys by kPanel queries -> weights and
  // gradients of scores, zeros for queries outside [firsts, lasts) of each key. logsumexp and delta
  // [kPanel] belong to the queries.
  void (*slope)(const float* scores, const float* gWeights, int64_t rows, Finish finish,
                const float* logsumexp, const float* delta, const int64_t* firsts,
                const int64_t* lasts, bf16* weights, bf16* gScores);
  // to [rows, columns] = from, each row multiplied by its factor (null: 1)
  void (*narrowRows)(const float* from, int64_t stride, int64_t rows, int64_t columns,
                     const float* factors, bf16* to, int64_t toStride);
};

// Null if the processor lacks the instructions, or has a matrix unit, which is faster and used by
// LibTorch.
const Table* table();

}  // namespace keel::blocks
