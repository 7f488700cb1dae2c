#include "products.h"

#include "block_products.h"
#include "dispatch.h"
#include "small_linear.h"
#include "units.h"

namespace keel {
namespace {

using blocks::bf16;
using OptionalTensor = std::optional<at::Tensor>;

// Widest factor that is summed over tokens without arranging the other one.
constexpr int64_t kNarrow = 64;

// With right in left's type.
Factors rounded(const Factors& one) {
  const auto type = one.left.scalar_type();
  if (one.blocks.defined() || (one.scale == 1 && one.right.scalar_type() == type)) return one;
  const at::Tensor scaled = one.scale == 1 ? one.right : one.right * one.scale;
  return {one.left, scaled.to(type), at::Tensor()};
}

// a^T b over tokens, where a has an adapter's rank as width: b is read once, in its own layout.
// [rank, N] float32
at::Tensor narrowOverTokens(const at::Tensor& a, const at::Tensor& b) {
  const auto& table = *blocks::table();
  const int64_t tokens = a.size(0), rank = a.size(1), columns = b.size(1);
  bf16* pairs = scratch<Purpose::paired>(
      (tokens + 1) / 2 * 2 * ((rank + blocks::kVector - 1) / blocks::kVector * blocks::kVector));
  table.pairRows(readOnly<bf16>(a), a.stride(0), tokens, rank, pairs);
  const at::Tensor sum = at::empty({rank, columns}, a.options().dtype(at::kFloat));
  constexpr int64_t kColumns = 64;  // in a unit: as many as the product takes at a time
  forUnits((columns + kColumns - 1) / kColumns, [&](int64_t unit) {
    const int64_t first = unit * kColumns;
    table.multiplyOverTokens(pairs, rank, readOnly<bf16>(b) + first, b.stride(0), tokens,
                             std::min(kColumns, columns - first), writable<float>(sum) + first,
                             columns);
  });
  return sum;
}

// Calls body(start, size, computed) for pieces of `count` rows, where `computed` >= size is one of
// the fixed sizes.
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

// Rows [start, start + size), zero-padded to `computed` rows.
at::Tensor piece(const at::Tensor& x, int64_t start, int64_t size, int64_t computed) {
  const at::Tensor rows = x.narrow(0, start, size);
  if (computed == size) return rows;
  at::Tensor padded = at::zeros({computed, x.size(1)}, x.options());
  padded.narrow(0, 0, size).copy_(rows);
  return padded;
}

// out += left right, or out = left right
void multiplyInto(const at::Tensor& out, const Factors& factors, bool add) {
  const at::Tensor &left = factors.left, &right = factors.right;
  const auto once = [&](const at::Tensor& to, const at::Tensor& from) {
    at::Tensor target = to;
    if (add)
      target.addmm_(from, right);
    else
      at::mm_out(target, from, right);
  };
  if (!shapesAreCompiled(left)) return once(out, left);
  forPieces(left.size(0), [&](int64_t start, int64_t size, int64_t computed) {
    const at::Tensor to = out.narrow(0, start, size), from = piece(left, start, size, computed);
    if (computed == size) return once(to, from);
    const at::Tensor product = at::mm(from, right).narrow(0, 0, size);
    if (add)
      to.add_(product);
    else
      to.copy_(product);
  });
}

// out = the sum of the products + bias, by LibTorch's own products
void composedSum(at::ArrayRef<Factors> terms, const OptionalTensor& bias, at::Tensor out) {
  const at::Tensor &left = terms[0].left, &right = terms[0].right;
  const bool biasedAtOnce = bias.has_value() && !shapesAreCompiled(left);  // as in at::linear
  if (biasedAtOnce) at::addmm_out(out, *bias, left, right);
  for (size_t t = biasedAtOnce ? 1 : 0; t < terms.size(); ++t) multiplyInto(out, terms[t], t > 0);
  if (bias.has_value() && !biasedAtOnce) out.add_(*bias);
}

}  // namespace

std::vector<at::Tensor> sumsOfProducts(std::vector<Sum> sums) {
  std::vector<at::Tensor> results;
  std::vector<BlockSum> inBlocks;
  std::vector<at::Tensor> biases;
  for (Sum& sum : sums) {
    const at::Tensor& left = sum.terms[0].left;
    const bool few = left.size(0) <= kSmallRows;
    if (few) std::transform(sum.terms.begin(), sum.terms.end(), sum.terms.begin(), rounded);
    if (few && std::all_of(sum.terms.begin(), sum.terms.end(), isSmallProduct)) {
      const at::Tensor out = smallProducts(sum.terms, sum.bias);
      results.push_back(sum.into.defined() ? sum.into.copy_(out) : out);
      continue;
    }
    // Many rows share the cost of expanding a quantised weight.
    for (Factors& one : sum.terms)
      if (one.blocks.defined()) one = {one.left, expanded(one.blocks).t(), at::Tensor()};
    results.push_back(sum.into.defined()
                          ? sum.into
                          : at::empty({left.size(0), sum.terms[0].right.size(1)}, left.options()));
    if (takesBlocks(sum.terms)) {
      biases.push_back(sum.bias.has_value() ? sum.bias->to(at::kFloat).contiguous() : at::Tensor());
      inBlocks.push_back({sum.terms,
                          sum.bias.has_value() ? readOnly<float>(biases.back()) : nullptr,
                          results.back()});
    } else {
      std::transform(sum.terms.begin(), sum.terms.end(), sum.terms.begin(), rounded);
      composedSum(sum.terms, sum.bias, results.back());
    }
  }
  if (!inBlocks.empty()) blockProducts(inBlocks);
  return results;
}

at::Tensor sumOfProducts(at::ArrayRef<Factors> terms, const OptionalTensor& bias) {
  return sumsOfProducts({{terms.vec(), bias, at::Tensor()}})[0];
}

at::Tensor multipliedInFloat(const at::Tensor& left, const at::Tensor& right) {
  if (!takesBlocks(Factors{left, right, at::Tensor()}))
    return multiplied(left, right).to(wideType(left));
  const at::Tensor out = at::empty({left.size(0), right.size(1)}, left.options().dtype(at::kFloat));
  blockProducts(BlockSum{Factors{left, right, at::Tensor()}, nullptr, out});
  return out;
}

at::Tensor linearProduct(const at::Tensor& x, const at::Tensor& weight,
                         const OptionalTensor& bias) {
  if (x.dim() != 2 || !shapesAreCompiled(x)) return at::linear(x, expanded(weight), bias);
  return sumOfProducts(byTransposed(x, weight), bias);
}

at::Tensor multipliedOverTokens(const at::Tensor& a, const at::Tensor& b) {
  const auto wide = a.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  if (!shapesAreCompiled(a)) return at::mm(a.t(), b).to(wide);
  if (blocks::table() != nullptr && isBlockFactor(a) && isBlockFactor(b) && a.stride(1) == 1 &&
      b.stride(1) == 1) {
    if (a.size(1) <= kNarrow) return narrowOverTokens(a, b);
    if (b.size(1) <= kNarrow) return narrowOverTokens(b, a).t().contiguous();
    const int64_t tokens = a.size(0), even = (tokens + 1) / 2 * 2, columns = a.size(1);
    const at::Tensor turned = at::empty({columns, even}, a.options());
    constexpr int64_t kStep = 32;
    at::parallel_for(0, (columns + kStep - 1) / kStep, grain(kStep * tokens),
                     [&](int64_t begin, int64_t end) {
                       const int64_t first = begin * kStep;
                       blocks::table()->transpose(readOnly<bf16>(a) + first, a.stride(0), tokens,
                                                  std::min(columns, end * kStep) - first,
                                                  writable<bf16>(turned) + first * even, even);
                     });
    const at::Tensor sum = at::empty({columns, b.size(1)}, a.options().dtype(wide));
    blockProducts(BlockSum{Factors{turned, b, at::Tensor()}, nullptr, sum});
    return sum;
  }
  at::Tensor sum = at::zeros({a.size(1), b.size(1)}, a.options().dtype(wide));
  forPieces(a.size(0), [&](int64_t start, int64_t size, int64_t computed) {
    // Each piece's product is rounded by oneDNN; the pieces are added in float32.
    sum.add_(at::mm(piece(a, start, size, computed).t(), piece(b, start, size, computed)));
  });
  return sum;
}

}  // namespace keel
