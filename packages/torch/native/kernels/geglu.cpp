// keel::geglu (Shazeer 2020, arXiv:2002.05202, eq. 6): gelu(gate) * up, with gelu by erf ('none')
// or by tanh ('tanh'), as in Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2. Its backward
// needs only gate and up.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "gated.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor plain(const at::Tensor& gate, const at::Tensor& up, c10::string_view approximate) {
  const bool tanh = approximate == "tanh";
  TORCH_CHECK(tanh || approximate == "none", "geglu: approximate must be 'none' or 'tanh', got '",
              approximate, "'");
  checkGated("geglu", gate, up);
  if (!hasRows(gate)) return at::gelu(gate, approximate) * up;
  return gated(gate, up, [=](const auto& rows, auto... rest) { rows.geglu(rest..., tanh); });
}

class Geglu : public torch::autograd::Function<Geglu> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up,
                            const std::string& approximate) {
    ctx->save_for_backward({gate, up});
    ctx->saved_data["approximate"] = approximate;
    return plain(gate, up, approximate);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const std::string approximate = ctx->saved_data["approximate"].toStringRef();
    const at::Tensor gate = saved[0].contiguous(), up = saved[1].contiguous(),
                     gy = outer[0].contiguous();
    if (!hasRows(gate))
      return {at::gelu_backward(gy * up, gate, approximate), gy * at::gelu(gate, approximate),
              at::Tensor()};
    const bool tanh = approximate == "tanh";
    const auto [gGate, gUp] = gatedBackward(
        gy, gate, up, [=](const auto& rows, auto... rest) { rows.gegluBackward(rest..., tanh); });
    return {gGate, gUp, at::Tensor()};
  }
};

at::Tensor withGradient(const at::Tensor& gate, const at::Tensor& up,
                        c10::string_view approximate) {
  return Geglu::apply(gate, up, std::string(approximate));
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("geglu(Tensor gate, Tensor up, str approximate='none') -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("geglu", plain); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("geglu", withGradient); }

}  // namespace keel
