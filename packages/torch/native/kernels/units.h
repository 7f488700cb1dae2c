// Distributes work among LibTorch's threads.
#pragma once
#include <ATen/Parallel.h>

#include <atomic>

namespace keel {

// Calls body(unit) for every unit. The next free thread takes the next unit, since units differ in
// cost.
template <typename Body>
void forUnits(int64_t count, Body body) {
  std::atomic<int64_t> next{0};
  at::parallel_for(0, std::min<int64_t>(count, at::get_num_threads()), 1, [&](int64_t, int64_t) {
    for (int64_t unit = next++; unit < count; unit = next++) body(unit);
  });
}

}  // namespace keel
