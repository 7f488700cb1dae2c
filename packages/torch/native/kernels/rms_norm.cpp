// keel::rms_norm (Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4): x / sqrt(mean(x^2) + epsilon) *
// (weight + offset), over the last dimension; sums in float32 or wider. keel::add_rms_norm: the sum
// of a residual and its update, and that sum's norm, in one pass over memory. The result equals two
// separate steps bit for bit.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void checkWeight(const char* name, const at::Tensor& x, const at::Tensor& weight) {
  TORCH_CHECK(weight.dim() == 1 && x.dim() >= 1 && x.size(-1) == weight.size(0), name, ": x ",
              x.sizes(), " does not fit weight ", weight.sizes());
  checkDevice(name, x, {weight});
}

at::Tensor emptyRstd(const at::Tensor& x) {
  return at::empty(x.sizes().slice(0, x.dim() - 1), x.options().dtype(wideType(x)));
}

int64_t rowsOf(const at::Tensor& x) { return x.size(-1) == 0 ? 0 : x.numel() / x.size(-1); }

// x [.., size], weight [size] -> y like x, rstd [..]
std::tuple<at::Tensor, at::Tensor> normalise(const at::Tensor& x, const at::Tensor& weight,
                                             double epsilon, double offset) {
  checkWeight("rms_norm", x, weight);
  if (!hasRows(x)) {
    const at::Tensor wide = x.to(wideType(x));
    const at::Tensor rstd = at::rsqrt(at::mean(at::square(wide), {-1}) + epsilon);
    return {
        (wide * rstd.unsqueeze(-1) * (weight.to(wide.scalar_type()) + offset)).to(x.scalar_type()),
        rstd};
  }
  const at::Tensor input = x.contiguous(), scale = weight.to(x.scalar_type()).contiguous();
  const int64_t size = x.size(-1), count = rowsOf(x);
  at::Tensor y = at::empty(x.sizes(), x.options()), rstd = emptyRstd(x);
  withType(x, [&](auto sample) {
    using T = decltype(sample);
    const T *from = readOnly<T>(input), *by = readOnly<T>(scale);
    T* to = writable<T>(y);
    auto* r = writable<rows::Wide<T>>(rstd);
    at::parallel_for(0, count, grain(size), [&](int64_t begin, int64_t end) {
      table<T>().rmsNorm(from + begin * size, by, to + begin * size, r + begin, end - begin, size,
                         epsilon, offset);
    });
  });
  return {y, rstd};
}

// x, update [.., size], weight [size] -> x + update, its norm, rstd [..]
std::tuple<at::Tensor, at::Tensor, at::Tensor> addAndNormalise(const at::Tensor& x,
                                                               const at::Tensor& update,
                                                               const at::Tensor& weight,
                                                               double epsilon, double offset) {
  checkWeight("add_rms_norm", x, weight);
  TORCH_CHECK(x.sizes() == update.sizes(), "add_rms_norm: x ", x.sizes(), " does not fit update ",
              update.sizes());
  checkKind("add_rms_norm", x, {update});
  if (!hasRows(x)) {
    const at::Tensor sum = x + update;
    const auto [y, rstd] = normalise(sum, weight, epsilon, offset);
    return {sum, y, rstd};
  }
  const at::Tensor input = x.contiguous(), addend = update.contiguous(),
                   scale = weight.to(x.scalar_type()).contiguous();
  const int64_t size = x.size(-1), count = rowsOf(x);
  at::Tensor sum = at::empty(x.sizes(), x.options()), y = at::empty(x.sizes(), x.options()),
             rstd = emptyRstd(x);
  withType(x, [&](auto sample) {
    using T = decltype(sample);
    const T *from = readOnly<T>(input), *add = readOnly<T>(addend), *by = readOnly<T>(scale);
    T *toSum = writable<T>(sum), *to = writable<T>(y);
    auto* r = writable<rows::Wide<T>>(rstd);
    // Row by row, so that the norm reads its sum from the cache.
    at::parallel_for(0, count, grain(size), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t start = row * size;
        table<T>().addRow(from + start, add + start, toSum + start, size);
        table<T>().rmsNorm(toSum + start, by, to + start, r + row, 1, size, epsilon, offset);
      }
    });
  });
  return {sum, y, rstd};
}

// The gradient through the norm, plus `residual` (like x, or undefined), the gradient that bypassed
// it.
at::Tensor inputGradient(const at::Tensor& gy, const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& rstd, double offset, const at::Tensor& residual = {}) {
  if (!hasRows(x)) {
    const auto wide = rstd.scalar_type();
    const at::Tensor r = rstd.unsqueeze(-1), g = gy.to(wide) * (weight.to(wide) + offset),
                     values = x.to(wide);
    const at::Tensor gx =
        (r * (g - values * r * r * at::mean(g * values, {-1}, true))).to(x.scalar_type());
    return residual.defined() ? gx + residual : gx;
  }
  const at::Tensor outer = gy.contiguous(), input = x.contiguous(),
                   scale = weight.to(x.scalar_type()).contiguous();
  const int64_t size = x.size(-1), count = rowsOf(x);
  const at::Tensor past = residual.defined() ? residual.contiguous() : residual;
  at::Tensor gx = at::empty(x.sizes(), x.options());
  withType(x, [&](auto sample) {
    using T = decltype(sample);
    const T *g = readOnly<T>(outer), *from = readOnly<T>(input), *by = readOnly<T>(scale),
            *p = past.defined() ? readOnly<T>(past) : nullptr;
    const auto* r = readOnly<rows::Wide<T>>(rstd);
    T* to = writable<T>(gx);
    at::parallel_for(0, count, grain(size), [&](int64_t begin, int64_t end) {
      if (!p)
        return table<T>().rmsNormBackward(g + begin * size, from + begin * size, by, r + begin,
                                          to + begin * size, end - begin, size, offset);
      for (int64_t row = begin; row < end; ++row) {
        const int64_t start = row * size;
        table<T>().rmsNormBackward(g + start, from + start, by, r + row, to + start, 1, size,
                                   offset);
        table<T>().addRow(to + start, p + start, to + start, size);
      }
    });
  });
  return gx;
}

at::Tensor weightGradient(const at::Tensor& gy, const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& rstd) {
  const auto wide = rstd.scalar_type();
  const at::Tensor each = gy.to(wide) * x.to(wide) * rstd.unsqueeze(-1);
  return each.reshape({-1, x.size(-1)}).sum(0).to(weight.scalar_type());
}

class RmsNorm : public torch::autograd::Function<RmsNorm> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            double epsilon, double offset) {
    auto [y, rstd] = normalise(x, weight, epsilon, offset);
    ctx->save_for_backward({x, weight, rstd});
    ctx->saved_data["offset"] = offset;
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &rstd = saved[2];
    at::Tensor gx, gWeight;
    if (ctx->needs_input_grad(0))
      gx = inputGradient(outer[0], x, weight, rstd, ctx->saved_data["offset"].toDouble());
    if (ctx->needs_input_grad(1)) gWeight = weightGradient(outer[0], x, weight, rstd);
    return {gx, gWeight, at::Tensor(), at::Tensor()};
  }
};

class AddRmsNorm : public torch::autograd::Function<AddRmsNorm> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& update,
                               const at::Tensor& weight, double epsilon, double offset) {
    auto [sum, y, rstd] = addAndNormalise(x, update, weight, epsilon, offset);
    ctx->save_for_backward({sum, weight, rstd});
    ctx->saved_data["offset"] = offset;
    ctx->set_materialize_grads(false);
    return {sum, y};
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    const at::Tensor &sum = saved[0], &weight = saved[1], &rstd = saved[2], &gSum = outer[0],
                     &gy = outer[1];
    at::Tensor gx = gSum, gWeight;
    if (gy.defined()) {
      if (ctx->needs_input_grad(0) || ctx->needs_input_grad(1))
        gx = inputGradient(gy, sum, weight, rstd, ctx->saved_data["offset"].toDouble(), gSum);
      if (ctx->needs_input_grad(2)) gWeight = weightGradient(gy, sum, weight, rstd);
    }
    return {gx, gx, gWeight, at::Tensor(), at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& x, const at::Tensor& weight, double epsilon, double offset) {
  return std::get<0>(normalise(x, weight, epsilon, offset));
}

at::Tensor withGradient(const at::Tensor& x, const at::Tensor& weight, double epsilon,
                        double offset) {
  return RmsNorm::apply(x, weight, epsilon, offset);
}

using Pair = std::tuple<at::Tensor, at::Tensor>;

Pair plainSum(const at::Tensor& x, const at::Tensor& update, const at::Tensor& weight,
              double epsilon, double offset) {
  auto [sum, y, rstd] = addAndNormalise(x, update, weight, epsilon, offset);
  return {sum, y};
}

Pair sumWithGradient(const at::Tensor& x, const at::Tensor& update, const at::Tensor& weight,
                     double epsilon, double offset) {
  const variable_list both = AddRmsNorm::apply(x, update, weight, epsilon, offset);
  return {both[0], both[1]};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("rms_norm(Tensor x, Tensor weight, float epsilon, float offset=0.0) -> Tensor");
  library.def(
      "add_rms_norm(Tensor x, Tensor update, Tensor weight, float epsilon, float offset=0.0) -> "
      "(Tensor sum, Tensor normed)");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) {
  library.impl("rms_norm", plain);
  library.impl("add_rms_norm", plainSum);
}
TORCH_LIBRARY_IMPL(keel, Autograd, library) {
  library.impl("rms_norm", withGradient);
  library.impl("add_rms_norm", sumWithGradient);
}

}  // namespace keel
