// keel::rms_norm (Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4): x / sqrt(mean(x^2) + epsilon) * (weight + offset),
// over the last dimension; sums in float32 at least.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x [.., size], weight [size] -> y like x, rstd [..]
std::tuple<at::Tensor, at::Tensor> normalise(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
  TORCH_CHECK(weight.dim() == 1 && x.dim() >= 1 && x.size(-1) == weight.size(0), "rms_norm: x ", x.sizes(), ", weight ", weight.sizes());
  checkDevice("rms_norm", x, {weight});
  if (!hasRows(x)) {
    const at::Tensor wide = x.to(wideType(x));
    const at::Tensor rstd = at::rsqrt(at::mean(at::square(wide), {-1}) + epsilon);
    return {(wide * rstd.unsqueeze(-1) * (weight.to(wide.scalar_type()) + offset)).to(x.scalar_type()), rstd};
  }
  const at::Tensor input = x.contiguous(), scale = weight.to(x.scalar_type()).contiguous();
  const int64_t size = x.size(-1), count = size == 0 ? 0 : x.numel() / size;
  at::Tensor y = at::empty(x.sizes(), x.options());
  at::Tensor rstd = at::empty(x.sizes().slice(0, x.dim() - 1), x.options().dtype(wideType(x)));
  withType(x, [&](auto sample) {
    using T = decltype(sample);
    const T *from = readOnly<T>(input), *by = readOnly<T>(scale);
    T* to = writable<T>(y);
    auto* r = writable<rows::Wide<T>>(rstd);
    at::parallel_for(0, count, grain(size), [&](int64_t begin, int64_t end) {
      table<T>().rmsNorm(from + begin * size, by, to + begin * size, r + begin, end - begin, size, epsilon, offset);
    });
  });
  return {y, rstd};
}

at::Tensor inputGradient(const at::Tensor& gy, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rstd, double offset) {
  if (!hasRows(x)) {
    const auto wide = rstd.scalar_type();
    const at::Tensor r = rstd.unsqueeze(-1), g = gy.to(wide) * (weight.to(wide) + offset), values = x.to(wide);
    return (r * (g - values * r * r * at::mean(g * values, {-1}, true))).to(x.scalar_type());
  }
  const at::Tensor outer = gy.contiguous(), input = x.contiguous(), scale = weight.to(x.scalar_type()).contiguous();
  const int64_t size = x.size(-1), count = size == 0 ? 0 : x.numel() / size;
  at::Tensor gx = at::empty(x.sizes(), x.options());
  withType(x, [&](auto sample) {
    using T = decltype(sample);
    const T *g = readOnly<T>(outer), *from = readOnly<T>(input), *by = readOnly<T>(scale);
    const auto* r = readOnly<rows::Wide<T>>(rstd);
    T* to = writable<T>(gx);
    at::parallel_for(0, count, grain(size), [&](int64_t begin, int64_t end) {
      table<T>().rmsNormBackward(g + begin * size, from + begin * size, by, r + begin, to + begin * size, end - begin, size, offset);
    });
  });
  return gx;
}

class RmsNorm : public torch::autograd::Function<RmsNorm> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
    auto [y, rstd] = normalise(x, weight, epsilon, offset);
    ctx->save_for_backward({x, weight, rstd});
    ctx->saved_data["offset"] = offset;
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &rstd = saved[2];
    at::Tensor gx, gWeight;
    if (ctx->needs_input_grad(0)) gx = inputGradient(outer[0], x, weight, rstd, ctx->saved_data["offset"].toDouble());
    if (ctx->needs_input_grad(1)) {
      const auto wide = rstd.scalar_type();
      const at::Tensor each = outer[0].to(wide) * x.to(wide) * rstd.unsqueeze(-1);
      gWeight = each.reshape({-1, x.size(-1)}).sum(0).to(weight.scalar_type());
    }
    return {gx, gWeight, at::Tensor(), at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
  return std::get<0>(normalise(x, weight, epsilon, offset));
}

at::Tensor withGradient(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
  return RmsNorm::apply(x, weight, epsilon, offset);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("rms_norm(Tensor x, Tensor weight, float epsilon, float offset=0.0) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("rms_norm", plain); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("rms_norm", withGradient); }

}  // namespace keel
