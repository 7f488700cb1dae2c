// keel::lora_linear: x W^T + bias + scale (x A^T) B^T (Hu et al. 2021, arXiv:2106.09685, eq. 3),
// with the low-rank part in the same sum. Backward needs only x and x A^T, of the rank's width.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"
#include "products.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using OptionalTensor = std::optional<at::Tensor>;

void checkShapes(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& a,
                 const at::Tensor& b) {
  TORCH_CHECK(x.dim() == 2 && x.size(1) == weight.size(1) && a.size(1) == x.size(1) &&
                  b.size(0) == weight.size(0) && b.size(1) == a.size(0),
              "lora_linear takes x [T, in], weight [out, in], a [rank, in], b [out, rank]; got ",
              x.sizes(), ", ", weight.sizes(), ", ", a.sizes(), ", ", b.sizes());
}

// Block products take pairs along the rank: an odd rank is padded with a zero, so that the frozen
// part is computed in the same way as without an adapter.
at::Tensor evenRank(const at::Tensor& factor, int64_t dimension) {
  if (factor.size(dimension) % 2 == 0) return factor;
  return dimension == 0 ? at::constant_pad_nd(factor, {0, 0, 0, 1})
                        : at::constant_pad_nd(factor, {0, 1});
}

// -> y [T, out], down [T, rank made even] = x A^T
std::tuple<at::Tensor, at::Tensor> product(const at::Tensor& x, const at::Tensor& weight,
                                           const OptionalTensor& bias, const at::Tensor& a,
                                           const at::Tensor& b, double scale) {
  checkShapes(x, weight, a, b);
  const auto type = x.scalar_type();
  const at::Tensor down = multiplied(x, evenRank(a.to(type), 0).t());
  const at::Tensor up = evenRank((b * scale).to(type), 1).t();
  return {sumOfProducts({byTransposed(x, weight), {down, up, at::Tensor()}}, bias), down};
}

class LoraLinear : public torch::autograd::Function<LoraLinear> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const OptionalTensor& bias, const at::Tensor& a, const at::Tensor& b,
                            double scale) {
    auto [y, down] = product(x, weight, bias, a, b, scale);
    ctx->save_for_backward({x, weight, a, b, down});
    ctx->saved_data["scale"] = scale;
    ctx->saved_data["biased"] = bias.has_value();
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &a = saved[2], &b = saved[3],
                     &down = saved[4];
    const double scale = ctx->saved_data["scale"].toDouble();
    const auto type = x.scalar_type();
    const at::Tensor gy = outer[0].contiguous();
    const at::Tensor gDown =
        multiplied(gy, evenRank((b * scale).to(type), 1));  // [T, rank made even]
    // An absent bias is not an edge of the graph: later edges move up.
    const bool biased = ctx->saved_data["biased"].toBool();
    const size_t afterBias = biased ? 3 : 2;
    at::Tensor gx, gWeight, gBias, gA, gB;
    if (ctx->needs_input_grad(0))
      gx = sumOfProducts({{gy, expanded(weight), at::Tensor()},
                          {gDown, evenRank(a.to(type), 0), at::Tensor()}});
    if (ctx->needs_input_grad(1)) gWeight = multipliedOverTokens(gy, x).to(weight.scalar_type());
    if (biased && ctx->needs_input_grad(2)) gBias = gy.to(wideType(gy)).sum(0).to(type);
    if (ctx->needs_input_grad(afterBias))
      gA = multipliedOverTokens(gDown.narrow(1, 0, a.size(0)), x).to(a.scalar_type());
    if (ctx->needs_input_grad(afterBias + 1))
      gB = multipliedOverTokens(gy, down.narrow(1, 0, a.size(0))).to(b.scalar_type()).mul_(scale);
    return {gx, gWeight, gBias, gA, gB, at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                 const at::Tensor& a, const at::Tensor& b, double scale) {
  return std::get<0>(product(x, weight, bias, a, b, scale));
}
at::Tensor withGradient(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias,
                        const at::Tensor& a, const at::Tensor& b, double scale) {
  return LoraLinear::apply(x, weight, bias, a, b, scale);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def(
      "lora_linear(Tensor x, Tensor weight, Tensor? bias, Tensor a, Tensor b, float scale) -> "
      "Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("lora_linear", plain); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("lora_linear", withGradient); }

}  // namespace keel
