// keel::linear: x W^T + bias for any number of tokens, without compiling code for each number.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"
#include "products.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using OptionalTensor = std::optional<at::Tensor>;

class Linear : public torch::autograd::Function<Linear> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const OptionalTensor& bias) {
    // A frozen weight's layer does not need its input in backward.
    ctx->save_for_backward({weight.requires_grad() ? x : at::Tensor(), weight});
    ctx->saved_data["biased"] = bias.has_value();
    return linearProduct(x, weight, bias);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const at::Tensor gy = outer[0].contiguous();
    at::Tensor gx, gWeight, gBias;
    if (ctx->needs_input_grad(0)) gx = multiplied(gy, expanded(weight));
    if (ctx->needs_input_grad(1)) gWeight = multipliedOverTokens(gy, x).to(weight.scalar_type());
    if (ctx->saved_data["biased"].toBool() && ctx->needs_input_grad(2))
      gBias = gy.to(wideType(gy)).sum(0).to(gy.scalar_type());
    return {gx, gWeight, gBias};
  }
};

at::Tensor withGradient(const at::Tensor& x, const at::Tensor& weight, const OptionalTensor& bias) {
  const bool composed = x.dim() != 2 || !shapesAreCompiled(x);
  if (composed && !isQuantised(weight)) return at::linear(x, weight, bias);  // has its own gradient
  TORCH_CHECK(!composed || x.dim() == 2, "linear with a quantised weight takes x [T, in], got ",
              x.sizes());
  return Linear::apply(x, weight, bias);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("linear(Tensor x, Tensor weight, Tensor? bias=None) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) {
  library.impl("linear", linearProduct);
}
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("linear", withGradient); }

}  // namespace keel
