// keel::rotate: rotary position embedding (Su et al. 2021, arXiv:2104.09864, eq. 34), with halves
// paired as in GPT-NeoX. Its backward is the inverse rotation.
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "dispatch.h"

namespace keel {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x [T, heads, size]; cosine and sine [T, half] in float32 or wider
at::Tensor turn(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine,
                double sign) {
  TORCH_CHECK(x.dim() == 3 && cosine.dim() == 2 && cosine.sizes() == sine.sizes() &&
                  cosine.size(0) == x.size(0) && 2 * cosine.size(1) <= x.size(2),
              "rotate takes x [T, heads, size], cosine and sine [T, half]; got ", x.sizes(), ", ",
              cosine.sizes(), ", ", sine.sizes());
  checkDevice("rotate", x, {cosine, sine});
  const int64_t half = cosine.size(1), size = x.size(2), heads = x.size(1);
  if (!hasRows(x)) {
    const auto wide = wideType(x);
    const at::Tensor c = cosine.to(wide).unsqueeze(1), s = sine.to(wide).unsqueeze(1) * sign;
    const at::Tensor low = x.narrow(2, 0, half).to(wide), high = x.narrow(2, half, half).to(wide);
    return at::cat(
        {(low * c - high * s).to(x.scalar_type()), (high * c + low * s).to(x.scalar_type()),
         x.narrow(2, 2 * half, size - 2 * half)},
        2);
  }
  const at::Tensor input = x.contiguous(), c = cosine.to(wideType(x)).contiguous(),
                   s = sine.to(wideType(x)).contiguous();
  at::Tensor y = at::empty(x.sizes(), x.options());
  withType(x, [&](auto sample) {
    using T = decltype(sample);
    const T* from = readOnly<T>(input);
    const auto *cosines = readOnly<rows::Wide<T>>(c), *sines = readOnly<rows::Wide<T>>(s);
    T* to = writable<T>(y);
    at::parallel_for(0, x.size(0), grain(heads * size), [&](int64_t begin, int64_t end) {
      const int64_t at = begin * heads * size;
      table<T>().rotate(from + at, cosines + begin * half, sines + begin * half, to + at,
                        end - begin, heads, size, half, sign);
    });
  });
  return y;
}

class Rotate : public torch::autograd::Function<Rotate> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& cosine,
                            const at::Tensor& sine) {
    ctx->save_for_backward({cosine, sine});
    return turn(x, cosine, sine, 1);
  }
  static variable_list backward(AutogradContext* ctx, variable_list outer) {
    const auto saved = ctx->get_saved_variables();
    return {turn(outer[0], saved[0], saved[1], -1), at::Tensor(), at::Tensor()};
  }
};

at::Tensor plain(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
  return turn(x, cosine, sine, 1);
}
at::Tensor withGradient(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
  return Rotate::apply(x, cosine, sine);
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(keel, library) {
  library.def("rotate(Tensor x, Tensor cosine, Tensor sine) -> Tensor");
}
TORCH_LIBRARY_IMPL(keel, CompositeExplicitAutograd, library) { library.impl("rotate", plain); }
TORCH_LIBRARY_IMPL(keel, Autograd, library) { library.impl("rotate", withGradient); }

}  // namespace keel
