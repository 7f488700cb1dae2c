// Matrix products over tokens. bfloat16 is multiplied by Keel's own block products if the processor
// supports them (blocks/), else by LibTorch in a few fixed sizes. oneDNN compiles code for every
// new shape and caches it, so batches with ever-changing numbers of tokens would cost unbounded
// memory, and time (docs/results/engine.md).
#pragma once
#include <ATen/ATen.h>

#include <vector>

#include "quantised/quantised.h"

namespace keel {

// left [T, K], right [K, N]; or, instead of right, the quantised weight [N, K] that is its
// transpose. right is multiplied by `scale` and rounded to left's type.
struct Factors {
  at::Tensor left, right, blocks;
  double scale = 1;
};

// The factors of x weight^T.
inline Factors byTransposed(const at::Tensor& x, const at::Tensor& weight) {
  if (isQuantised(weight)) return {x, at::Tensor(), weight};
  return {x, weight.t(), at::Tensor()};
}

// Products of pairs of factors, which are added up.
struct Sum {
  std::vector<Factors> terms;
  std::optional<at::Tensor> bias;  // [N]
  at::Tensor into;                 // [T, N], rows of any stride; undefined: a new tensor
};

// The sum of the products, and of the bias [N]: [T, N] in left's type. Rounded only once with block
// products.
at::Tensor sumOfProducts(at::ArrayRef<Factors> terms,
                         const std::optional<at::Tensor>& bias = std::nullopt);

// Several sums at once.
std::vector<at::Tensor> sumsOfProducts(std::vector<Sum> sums);

// left right: [T, K] [K, N] -> [T, N]
inline at::Tensor multiplied(const at::Tensor& left, const at::Tensor& right) {
  return sumOfProducts(Factors{left, right, at::Tensor()});
}

// The same in float32 or wider.
at::Tensor multipliedInFloat(const at::Tensor& left, const at::Tensor& right);

// x weight^T + bias: computed in the same way with and without an adapter, so that both round
// alike. x [..., in]
at::Tensor linearProduct(const at::Tensor& x, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias);

// a^T b over tokens: [T, M], [T, N] -> [M, N] in float32 or wider
at::Tensor multipliedOverTokens(const at::Tensor& a, const at::Tensor& b);

// Whether LibTorch compiles code for every shape.
inline bool shapesAreCompiled(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16;
}

}  // namespace keel
