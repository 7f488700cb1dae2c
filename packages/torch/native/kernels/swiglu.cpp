// keel::swiglu (Shazeer 2020, arXiv:2002.05202, eq. 6): silu(gate) * up. Its backward needs nothing but gate and up.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor plain(const at::Tensor& gate, const at::Tensor& up) {
  TORCH_CHECK(gate.sizes() == up.sizes(), "swiglu: gate ", gate.sizes(), ", up ", up.sizes());
  checkKind("swiglu", gate, {up});
  if (!hasRows(gate)) return at::silu(gate) * up;
  const at::Tensor a = gate.contiguous(), b = up.contiguous();
  at::Tensor y = at::empty(gate.sizes(), gate.options());
  withType(gate, [&](auto sample) {
    using T = decltype(sample);
    const T *g = readOnly<T>(a), *u = readOnly<T>(b);
    T* to = writable<T>(y);
    at::parallel_for(0, y.numel(), 16384, [&](int64_t begin, int64_t end) { table<T>().swiglu(g + begin, u + begin, to + begin, end - begin); });
  });
  return y;
}

class Swiglu : public torch::autograd::Function<Swiglu> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& gate, const at::Tensor& up) {
    ctx->save_for_backward({gate, up});
    return plain(gate, up);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor gate = saved[0].contiguous(), up = saved[1].contiguous(), gy = outer[0].contiguous();
    if (!hasRows(gate)) {
      const at::Tensor s = at::sigmoid(gate);
      return {gy * up * s * (1 + gate * (1 - s)), gy * gate * s};
    }
    at::Tensor gGate = at::empty(gate.sizes(), gate.options()), gUp = at::empty(gate.sizes(), gate.options());
    withType(gate, [&](auto sample) {
      using T = decltype(sample);
      const T *o = readOnly<T>(gy), *g = readOnly<T>(gate), *u = readOnly<T>(up);
      T *toGate = writable<T>(gGate), *toUp = writable<T>(gUp);
      at::parallel_for(0, gate.numel(), 16384, [&](int64_t begin, int64_t end) {
        table<T>().swigluBackward(o + begin, g + begin, u + begin, toGate + begin, toUp + begin, end - begin);
      });
    });
    return {gGate, gUp};
  }
};

at::Tensor withGradient(const at::Tensor& gate, const at::Tensor& up) { return Swiglu::apply(gate, up); }

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) { library.def("swiglu(Tensor gate, Tensor up) -> Tensor"); }
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("swiglu", plain); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("swiglu", withGradient); }

}  // namespace keel
