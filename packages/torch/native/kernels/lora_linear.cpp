// keel::lora_linears: x W^T + bias + scale (x A^T) B^T (Hu et al. 2021, arXiv:2106.09685, eq. 3) of
// one layer or of several with the same input, such as query, key and value. The low-rank part is
// in the same sum. Backward needs only x and x A^T, of the rank's width.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"
#include "products.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using OptionalTensor = std::optional<at::Tensor>;

// Layers of one input, and their adapters.
struct Layers {
  at::TensorList weights, biases, a, b;  // no biases, or one for each layer

  OptionalTensor bias(size_t layer) const {
    return biases.empty() ? OptionalTensor() : OptionalTensor(biases[layer]);
  }
};

void checkShapes(const at::Tensor& x, const Layers& layers) {
  const auto& [weights, biases, a, b] = layers;
  TORCH_CHECK(
      !weights.empty() && a.size() == weights.size() && b.size() == weights.size() &&
          (biases.empty() || biases.size() == weights.size()),
      "lora_linears takes a weight, an a, and a b for each layer, and a bias for each or for "
      "none; got ",
      weights.size(), ", ", a.size(), ", ", b.size(), " and ", biases.size());
  for (size_t i = 0; i < weights.size(); ++i)
    TORCH_CHECK(
        x.dim() == 2 && x.size(1) == weights[i].size(1) && a[i].size(1) == x.size(1) &&
            b[i].size(0) == weights[i].size(0) && b[i].size(1) == a[i].size(0),
        "lora_linears takes x [T, in], weights [out, in], a [rank, in], b [out, rank]; got ",
        x.sizes(), ", ", weights[i].sizes(), ", ", a[i].sizes(), ", ", b[i].sizes());
}

// Block products take pairs along the rank: an odd rank is padded with a zero, so that the frozen
// part is computed in the same way as without an adapter.
int64_t evened(int64_t rank) { return (rank + 1) / 2 * 2; }
at::Tensor evenRank(const at::Tensor& factor, int64_t dimension) {
  if (factor.size(dimension) % 2 == 0) return factor;
  return dimension == 0 ? at::constant_pad_nd(factor, {0, 0, 0, 1})
                        : at::constant_pad_nd(factor, {0, 1});
}

// All of the layers' a, one below the other: [sum of even ranks, in]
at::Tensor allOf(at::TensorList a) {
  if (a.size() == 1) return evenRank(a[0], 0);
  std::vector<at::Tensor> even;
  for (const at::Tensor& one : a) even.push_back(evenRank(one, 0));
  return at::cat(even, 0);
}

// The part of a layer in x A^T or its gradient, whose columns are all layers' ranks, made even.
class Columns {
 public:
  explicit Columns(at::Tensor all) : all_(std::move(all)) {}
  at::Tensor next(int64_t columns, int64_t used) {
    const at::Tensor part = all_.narrow(1, start_, used);
    start_ += columns;
    return part;
  }

 private:
  at::Tensor all_;
  int64_t start_ = 0;
};

// -> y of each layer [T, out], and down [T, sum of even ranks] = x A^T
std::tuple<std::vector<at::Tensor>, at::Tensor> products(const at::Tensor& x, const Layers& layers,
                                                         double scale) {
  checkShapes(x, layers);
  const at::Tensor down = multiplied(x, allOf(layers.a).t());
  Columns columns(down);
  std::vector<Sum> sums;
  for (size_t i = 0; i < layers.weights.size(); ++i) {
    const int64_t rank = evened(layers.a[i].size(0));
    sums.push_back({{byTransposed(x, layers.weights[i]),
                     {columns.next(rank, rank), evenRank(layers.b[i], 1).t(), at::Tensor(), scale}},
                    layers.bias(i),
                    at::Tensor()});
  }
  return {sumsOfProducts(std::move(sums)), down};
}

class LoraLinears : public torch::autograd::Function<LoraLinears> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList weights,
                               at::TensorList biases, at::TensorList a, at::TensorList b,
                               double scale) {
    auto [y, down] = products(x, {weights, biases, a, b}, scale);
    variable_list saved = {x, down};
    for (const at::TensorList& list : {weights, a, b})
      saved.insert(saved.end(), list.begin(), list.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["biased"] = !biases.empty();
    return y;
  }

  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &down = saved[1];
    const size_t count = outer.size();
    const at::TensorList all(saved), weights = all.slice(2, count), a = all.slice(2 + count, count),
                                     b = all.slice(2 + 2 * count, count);
    const double scale = ctx->saved_data["scale"].toDouble();
    const bool biased = ctx->saved_data["biased"].toBool();
    // Places among the inputs: x, weights, biases, a, b.
    const size_t biasAt = 1 + count, aAt = biased ? biasAt + count : biasAt, bAt = aAt + count;
    variable_list result(bAt + count + 1);
    const auto needs = [&](size_t first) {
      for (size_t i = 0; i < count; ++i)
        if (ctx->needs_input_grad(first + i)) return true;
      return false;
    };
    for (at::Tensor& gy : outer) gy = gy.contiguous();
    const at::Tensor gDown = at::zeros_like(down);  // [T, sum of even ranks]
    std::vector<Sum> sums;
    Columns places(gDown);
    for (size_t i = 0; i < count; ++i)
      sums.push_back({{{outer[i], b[i], at::Tensor(), scale}},
                      std::nullopt,
                      places.next(evened(b[i].size(1)), b[i].size(1))});
    sumsOfProducts(std::move(sums));
    if (ctx->needs_input_grad(0)) {
      std::vector<Factors> terms;
      for (size_t i = 0; i < count; ++i)
        terms.push_back({outer[i], expanded(weights[i]), at::Tensor()});
      terms.push_back({gDown, allOf(a), at::Tensor()});
      result[0] = sumOfProducts(terms);
    }
    const at::Tensor gA = needs(aAt) ? multipliedOverTokens(gDown, x) : at::Tensor();
    Columns downs(down), rows(gA.defined() ? gA.t() : gA);
    for (size_t i = 0; i < count; ++i) {
      const int64_t rank = a[i].size(0), even = evened(rank);
      const at::Tensor &gy = outer[i], own = downs.next(even, rank);
      if (ctx->needs_input_grad(1 + i))
        result[1 + i] = multipliedOverTokens(gy, x).to(weights[i].scalar_type());
      if (biased && ctx->needs_input_grad(biasAt + i))
        result[biasAt + i] = gy.to(wideType(gy)).sum(0).to(x.scalar_type());
      if (gA.defined()) result[aAt + i] = rows.next(even, rank).t().to(a[i].scalar_type());
      if (ctx->needs_input_grad(bAt + i))
        result[bAt + i] = multipliedOverTokens(gy, own).to(b[i].scalar_type()).mul_(scale);
    }
    return result;
  }
};

std::vector<at::Tensor> plain(const at::Tensor& x, at::TensorList weights, at::TensorList biases,
                              at::TensorList a, at::TensorList b, double scale) {
  return std::get<0>(products(x, {weights, biases, a, b}, scale));
}
std::vector<at::Tensor> withGradient(const at::Tensor& x, at::TensorList weights,
                                     at::TensorList biases, at::TensorList a, at::TensorList b,
                                     double scale) {
  return LoraLinears::apply(x, weights, biases, a, b, scale);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "lora_linears(Tensor x, Tensor[] weights, Tensor[] biases, Tensor[] a, Tensor[] b, float "
      "scale) -> Tensor[]");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) {
  library.impl("lora_linears", plain);
}
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("lora_linears", withGradient); }

}  // namespace keel
