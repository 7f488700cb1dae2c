// keel::swiglu (Shazeer 2020, arXiv:2002.05202, eq. 6): silu(gate) * up. Its backward needs only
// gate and up.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "gated.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor plain(const at::Tensor& gate, const at::Tensor& up) {
  checkGated("swiglu", gate, up);
  if (!hasRows(gate)) return at::silu(gate) * up;
  return gated(gate, up, [](const auto& rows, auto... rest) { rows.swiglu(rest...); });
}

class Swiglu : public torch::autograd::Function<Swiglu> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up) {
    ctx->save_for_backward({gate, up});
    return plain(gate, up);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor gate = saved[0].contiguous(), up = saved[1].contiguous(),
                     gy = outer[0].contiguous();
    if (!hasRows(gate)) {
      const at::Tensor s = at::sigmoid(gate);
      return {gy * up * s * (1 + gate * (1 - s)), gy * gate * s};
    }
    const auto [gGate, gUp] = gatedBackward(
        gy, gate, up, [](const auto& rows, auto... rest) { rows.swigluBackward(rest...); });
    return {gGate, gUp};
  }
};

at::Tensor withGradient(const at::Tensor& gate, const at::Tensor& up) {
  return Swiglu::apply(gate, up);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) { library.def("swiglu(Tensor gate, Tensor up) -> Tensor"); }
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("swiglu", plain); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("swiglu", withGradient); }

}  // namespace keel
