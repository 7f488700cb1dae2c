// Matrix products over tokens in a few fixed sizes. oneDNN compiles bfloat16 code for every new shape and keeps it: batches
// whose number of tokens always differs would cost memory without end, and time (docs/results/engine.md).
#pragma once
#include <ATen/ATen.h>

#include "small_linear.h"

namespace keel {

inline bool shapesAreCompiled(const at::Tensor& x) { return x.is_cpu() && x.scalar_type() == at::kBFloat16; }

// Calls body(start, size, computed) for pieces of `count` rows; `computed` >= size is one of the fixed sizes.
template <typename Body>
void forPieces(int64_t count, Body body) {
  int64_t start = 0;
  for (const int64_t size : {512, 128, 32})
    for (; count - start >= size; start += size) body(start, size, size);
  if (start == count) return;
  int64_t computed = 1;
  while (computed < count - start) computed *= 2;
  body(start, count - start, computed);
}

// Rows [start, start + size) and zeros below them up to `computed` rows.
inline at::Tensor piece(const at::Tensor& x, int64_t start, int64_t size, int64_t computed) {
  const at::Tensor rows = x.narrow(0, start, size);
  if (computed == size) return rows;
  at::Tensor padded = at::zeros({computed, x.size(1)}, x.options());
  padded.narrow(0, 0, size).copy_(rows);
  return padded;
}

// out += x right, or out = x right; x [T, K], right [K, N], out [T, N]
inline void multiplyInto(const at::Tensor& out, const at::Tensor& x, const at::Tensor& right, bool add) {
  const auto once = [&](const at::Tensor& to, const at::Tensor& from) {
    at::Tensor target = to;
    if (add) target.addmm_(from, right);
    else at::mm_out(target, from, right);
  };
  if (!shapesAreCompiled(x)) return once(out, x);
  forPieces(x.size(0), [&](int64_t start, int64_t size, int64_t computed) {
    const at::Tensor to = out.narrow(0, start, size), from = piece(x, start, size, computed);
    if (computed == size) return once(to, from);
    const at::Tensor product = at::mm(from, right).narrow(0, 0, size);
    if (add) to.add_(product);
    else to.copy_(product);
  });
}

// x right: [T, K] [K, N] -> [T, N]
inline at::Tensor multiplied(const at::Tensor& x, const at::Tensor& right) {
  at::Tensor out = at::empty({x.size(0), right.size(1)}, x.options());
  multiplyInto(out, x, right, false);
  return out;
}

// x weight^T + bias: what a layer computes with and without an adapter, so that both round alike.
inline at::Tensor linearProduct(const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias) {
  if (x.dim() != 2 || !shapesAreCompiled(x)) return at::linear(x, weight, bias);
  if (isSmall(x, weight)) return smallLinear(x, weight, bias);
  at::Tensor y = multiplied(x, weight.t());
  if (bias.has_value()) y.add_(*bias);
  return y;
}

// a^T b over tokens: [T, M], [T, N] -> [M, N] in float32 or wider. Of bfloat16 each piece's product is rounded as oneDNN
// gives it; the pieces are added in float32.
inline at::Tensor multipliedOverTokens(const at::Tensor& a, const at::Tensor& b) {
  const auto wide = a.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  if (!shapesAreCompiled(a)) return at::mm(a.t(), b).to(wide);
  at::Tensor sum = at::zeros({a.size(1), b.size(1)}, a.options().dtype(wide));
  forPieces(a.size(0), [&](int64_t start, int64_t size, int64_t computed) {
    sum.add_(at::mm(piece(a, start, size, computed).t(), piece(b, start, size, computed)));
  });
  return sum;
}

}  // namespace keel
