// Shared parts of SwiGLU and GEGLU: elementwise loops over gate and up of one shape, distributed
// among threads.
#pragma once
#include "dispatch.h"

namespace keel {

inline void checkGated(const char* name, const at::Tensor& gate, const at::Tensor& up) {
  TORCH_CHECK(gate.sizes() == up.sizes(), name, ": gate ", gate.sizes(), " does not fit up ",
              up.sizes());
  checkKind(name, gate, {up});
}

// loop(table, gate, up, y, n)
template <typename Loop>
at::Tensor gated(const at::Tensor& gate, const at::Tensor& up, Loop loop) {
  const at::Tensor a = gate.contiguous(), b = up.contiguous();
  at::Tensor y = at::empty(gate.sizes(), gate.options());
  withType(gate, [&](auto sample) {
    using T = decltype(sample);
    const T *g = readOnly<T>(a), *u = readOnly<T>(b);
    T* to = writable<T>(y);
    at::parallel_for(0, y.numel(), 16384, [&](int64_t begin, int64_t end) {
      loop(table<T>(), g + begin, u + begin, to + begin, end - begin);
    });
  });
  return y;
}

// loop(table, gy, gate, up, gGate, gUp, n); all contiguous
template <typename Loop>
std::tuple<at::Tensor, at::Tensor> gatedBackward(const at::Tensor& gy, const at::Tensor& gate,
                                                 const at::Tensor& up, Loop loop) {
  at::Tensor gGate = at::empty(gate.sizes(), gate.options()),
             gUp = at::empty(gate.sizes(), gate.options());
  withType(gate, [&](auto sample) {
    using T = decltype(sample);
    const T *o = readOnly<T>(gy), *g = readOnly<T>(gate), *u = readOnly<T>(up);
    T *toGate = writable<T>(gGate), *toUp = writable<T>(gUp);
    at::parallel_for(0, gate.numel(), 16384, [&](int64_t begin, int64_t end) {
      loop(table<T>(), o + begin, g + begin, u + begin, toGate + begin, toUp + begin, end - begin);
    });
  });
  return {gGate, gUp};
}

}  // namespace keel
