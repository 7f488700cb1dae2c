// keel::geglu (Shazeer 2020, arXiv:2002.05202, eq. 6): gelu(gate) * up, with gelu by erf ('none') or by tanh ('tanh'), as in
// Hendrycks & Gimpel 2016, arXiv:1606.08415, section 2. Its backward needs nothing but gate and up.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor plain(const at::Tensor& gate, const at::Tensor& up, c10::string_view approximate) {
  TORCH_CHECK(gate.sizes() == up.sizes(), "geglu: gate ", gate.sizes(), ", up ", up.sizes());
  const bool tanh = approximate == "tanh";
  TORCH_CHECK(tanh || approximate == "none", "geglu: approximate is 'none' or 'tanh', got '", approximate, "'");
  checkKind("geglu", gate, {up});
  if (!hasRows(gate)) return at::gelu(gate, approximate) * up;
  const at::Tensor a = gate.contiguous(), b = up.contiguous();
  at::Tensor y = at::empty(gate.sizes(), gate.options());
  withType(gate, [&](auto sample) {
    using T = decltype(sample);
    const T *g = readOnly<T>(a), *u = readOnly<T>(b);
    T* to = writable<T>(y);
    at::parallel_for(0, y.numel(), 16384, [&](int64_t begin, int64_t end) { table<T>().geglu(g + begin, u + begin, to + begin, end - begin, tanh); });
  });
  return y;
}

class Geglu : public torch::autograd::Function<Geglu> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up, const std::string& approximate) {
    ctx->save_for_backward({gate, up});
    ctx->saved_data["approximate"] = approximate;
    return plain(gate, up, approximate);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const std::string approximate = ctx->saved_data["approximate"].toStringRef();
    const at::Tensor gate = saved[0].contiguous(), up = saved[1].contiguous(), gy = outer[0].contiguous();
    if (!hasRows(gate)) return {at::gelu_backward(gy * up, gate, approximate), gy * at::gelu(gate, approximate), at::Tensor()};
    at::Tensor gGate = at::empty(gate.sizes(), gate.options()), gUp = at::empty(gate.sizes(), gate.options());
    withType(gate, [&](auto sample) {
      using T = decltype(sample);
      const T *o = readOnly<T>(gy), *g = readOnly<T>(gate), *u = readOnly<T>(up);
      T *toGate = writable<T>(gGate), *toUp = writable<T>(gUp);
      at::parallel_for(0, gate.numel(), 16384, [&](int64_t begin, int64_t end) {
        table<T>().gegluBackward(o + begin, g + begin, u + begin, toGate + begin, toUp + begin, end - begin, approximate == "tanh");
      });
    });
    return {gGate, gUp, at::Tensor()};
  }
};

at::Tensor withGradient(const at::Tensor& gate, const at::Tensor& up, c10::string_view approximate) {
  return Geglu::apply(gate, up, std::string(approximate));
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) { library.def("geglu(Tensor gate, Tensor up, str approximate='none') -> Tensor"); }
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("geglu", plain); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("geglu", withGradient); }

}  // namespace keel
