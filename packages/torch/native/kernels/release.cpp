// keel::release_swiglu, release_geglu, release_rms_norm: frees the memory of an activation in
// forward if it is cheap to compute from tensors that backward holds anyway. The same function
// fills it again before backward reads it (Chen et al. 2016, arXiv:1604.06174, section 3, on
// inexpensive operators). They return `y`, the result of everything that reads the activation.
// Their backward runs before that of anything in between, so the activation is there in time.
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Checks that the activation uses the whole of its storage.
void checkOwn(const char* name, const at::Tensor& activation) {
  TORCH_CHECK(activation.is_contiguous() && activation.storage_offset() == 0 &&
                  activation.nbytes() == activation.storage().nbytes(),
              name, ": the activation must be a whole tensor, not a view");
}

void freeMemory(const at::Tensor& activation) {
  activation.storage().set_data_ptr_noswap(at::DataPtr(nullptr, activation.device()));
  activation.storage().set_nbytes(0);
}

void refill(const at::Tensor& activation, const at::Tensor& again) {
  TORCH_CHECK(again.sizes() == activation.sizes() &&
              again.scalar_type() == activation.scalar_type() && again.is_contiguous());
  const size_t bytes = again.storage().nbytes();
  // Others have saved this storage object, so it takes over the new memory.
  auto fresh = again.storage().set_data_ptr(at::DataPtr(nullptr, again.device()));
  again.storage().set_nbytes(0);
  activation.storage().set_data_ptr_noswap(std::move(fresh));
  activation.storage().set_nbytes(bytes);
}

// `gelu` is geglu's approximation, or empty for swiglu.
class ReleaseGated : public torch::autograd::Function<ReleaseGated> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& y, const at::Tensor& product,
                            const at::Tensor& gate, const at::Tensor& up, const std::string& gelu) {
    checkOwn(gelu.empty() ? "release_swiglu" : "release_geglu", product);
    ctx->save_for_backward({product, gate, up});
    ctx->saved_data["gelu"] = gelu;
    freeMemory(product);
    return y.view_as(y);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const std::string gelu = ctx->saved_data["gelu"].toStringRef();
    static const auto swiglu = c10::Dispatcher::singleton()
                                   .findSchemaOrThrow("keel::swiglu", "")
                                   .typed<at::Tensor(const at::Tensor&, const at::Tensor&)>();
    static const auto geglu =
        c10::Dispatcher::singleton()
            .findSchemaOrThrow("keel::geglu", "")
            .typed<at::Tensor(const at::Tensor&, const at::Tensor&, c10::string_view)>();
    refill(saved[0],
           gelu.empty() ? swiglu.call(saved[1], saved[2]) : geglu.call(saved[1], saved[2], gelu));
    return {outer[0], at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

class ReleaseRmsNorm : public torch::autograd::Function<ReleaseRmsNorm> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& y, const at::Tensor& normed,
                            const at::Tensor& x, const at::Tensor& weight, double epsilon,
                            double offset) {
    checkOwn("release_rms_norm", normed);
    ctx->save_for_backward({normed, x, weight});
    ctx->saved_data["epsilon"] = epsilon;
    ctx->saved_data["offset"] = offset;
    freeMemory(normed);
    return y.view_as(y);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    static const auto op =
        c10::Dispatcher::singleton()
            .findSchemaOrThrow("keel::rms_norm", "")
            .typed<at::Tensor(const at::Tensor&, const at::Tensor&, double, double)>();
    refill(saved[0], op.call(saved[1], saved[2], ctx->saved_data["epsilon"].toDouble(),
                             ctx->saved_data["offset"].toDouble()));
    return {outer[0], at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

// Without a graph, nothing is held that could be released. Results of a frozen source are not held
// longer than the source itself.
bool recorded(const at::Tensor& y, const at::Tensor& source) {
  return c10::GradMode::is_enabled() && y.requires_grad() && source.requires_grad();
}

at::Tensor releaseGated(const at::Tensor& y, const at::Tensor& product, const at::Tensor& gate,
                        const at::Tensor& up, const std::string& gelu) {
  return recorded(y, gate) && up.requires_grad() ? ReleaseGated::apply(y, product, gate, up, gelu)
                                                 : y;
}

at::Tensor releaseSwiglu(const at::Tensor& y, const at::Tensor& product, const at::Tensor& gate,
                         const at::Tensor& up) {
  return releaseGated(y, product, gate, up, "");
}

at::Tensor releaseGeglu(const at::Tensor& y, const at::Tensor& product, const at::Tensor& gate,
                        const at::Tensor& up, c10::string_view approximate) {
  return releaseGated(y, product, gate, up, std::string(approximate));
}

at::Tensor releaseRmsNorm(const at::Tensor& y, const at::Tensor& normed, const at::Tensor& x,
                          const at::Tensor& weight, double epsilon, double offset) {
  return recorded(y, x) ? ReleaseRmsNorm::apply(y, normed, x, weight, epsilon, offset) : y;
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("release_swiglu(Tensor y, Tensor product, Tensor gate, Tensor up) -> Tensor");
  library.def(
      "release_geglu(Tensor y, Tensor product, Tensor gate, Tensor up, str approximate='none') -> "
      "Tensor");
  library.def(
      "release_rms_norm(Tensor y, Tensor normed, Tensor x, Tensor weight, float epsilon, float "
      "offset=0.0) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeImplicitAutograd, library) {
  library.impl("release_swiglu", releaseSwiglu);
  library.impl("release_geglu", releaseGeglu);
  library.impl("release_rms_norm", releaseRmsNorm);
}

}  // namespace keel
