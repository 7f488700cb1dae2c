// Matrix products over tokens. bfloat16 is multiplied by Keel's own block products where the
// processor has them (blocks/), else by LibTorch in a few fixed sizes: oneDNN compiles code for
// every new shape and keeps it, so batches whose number of tokens always differs would cost memory
// without end, and time (docs/results/engine.md).
#pragma once
#include <ATen/ATen.h>

namespace keel {

// left [T, K], right [K, N]
struct Factors {
  at::Tensor left, right;
};

// The sum of the products of one or two pairs of factors, and of the bias [N]: [T, N] in the type
// of left. Rounded once where block products compute it.
at::Tensor sumOfProducts(at::ArrayRef<Factors> terms,
                         const std::optional<at::Tensor>& bias = std::nullopt);

// left right: [T, K] [K, N] -> [T, N]
inline at::Tensor multiplied(const at::Tensor& left, const at::Tensor& right) {
  return sumOfProducts(Factors{left, right});
}

// The same in float32 or wider.
at::Tensor multipliedInFloat(const at::Tensor& left, const at::Tensor& right);

// x weight^T + bias: what a layer computes with and without an adapter, so that both round alike. x
// [..., in]
at::Tensor linearProduct(const at::Tensor& x, const at::Tensor& weight,
                         const std::optional<at::Tensor>& bias);

// a^T b over tokens: [T, M], [T, N] -> [M, N] in float32 or wider
at::Tensor multipliedOverTokens(const at::Tensor& a, const at::Tensor& b);

// Whether LibTorch would compile code for every shape.
inline bool shapesAreCompiled(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16;
}

}  // namespace keel
