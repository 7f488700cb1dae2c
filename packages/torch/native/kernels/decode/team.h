// A team of threads that work through the phases of a computation together. Entering a parallel
// region for each phase would cost as much as a small product.
#pragma once
#include <ATen/Parallel.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include <cstdint>
#include <utility>

namespace keel {

struct Team {
  int64_t index = 0, size = 1;

  // Waits for all threads. What each has written before, all can read afterwards.
  void meet() const {
#ifdef _OPENMP
#pragma omp barrier
#endif
  }
  // This thread's range of `count` units.
  std::pair<int64_t, int64_t> share(int64_t count) const {
    return {count * index / size, count * (index + 1) / size};
  }
};

// Calls work(team) in each of at most `threads` threads; it must not throw.
template <typename Work>
void inTeam(int64_t threads, Work work) {
#ifdef _OPENMP
#pragma omp parallel num_threads(static_cast<int>(threads))
  work(Team{omp_get_thread_num(), omp_get_num_threads()});
#else
  work(Team{});
#endif
}

}  // namespace keel
