// Attention of one new token of each sequence, by a team.
#pragma once
#include <vector>

#include "../cached_keys.h"
#include "../dispatch.h"
#include "team.h"

namespace keel::decode {

using rows::bf16;

// Applies norms and rotation to queries and keys, puts keys and values into the cache, and computes
// attention for every head.
struct Heads {
  int64_t heads, keyValueHeads, size;
  double epsilon, offset, scale, softcap;
  int64_t half = 0;  // rotated pairs of elements
  const bf16 *queryNorm = nullptr, *keyNorm = nullptr;
  const float *cosine = nullptr, *sine = nullptr;  // [count, half]

  int64_t width() const { return (heads + 2 * keyValueHeads) * size; }

  // Prefetches keys and values that this thread sees soon.
  void prefetch(const Team& team, const CachedKeys<bf16>& cache, int64_t count) const {
    constexpr int64_t kLine = 64 / sizeof(bf16), kMost = 512;  // elements, tokens
    int64_t left = kMost;
    const auto [begin, end] = team.share(count * keyValueHeads);
    for (int64_t task = begin; task < end && left > 0; ++task) {
      rows::Reach<bf16> runs[2];
      cache.see(task / keyValueHeads, task % keyValueHeads, runs);
      for (const auto& run : runs) {
        for (int64_t t = 0; t < run.length && left > 0; ++t, --left) {
          for (int64_t d = 0; d < size; d += kLine) {
            __builtin_prefetch(run.keys + t * cache.stride() + d, 0, 2);
            __builtin_prefetch(run.values + t * cache.stride() + d, 0, 2);
          }
        }
      }
    }
  }

  // This thread's share of the sequences' heads: projected [count, width()] -> attended [count,
  // heads, size]
  void attend(const Team& team, float* projected, const CachedKeys<bf16>& cache, bf16* keys,
              bf16* values, bf16* attended, int64_t count) const {
    const int64_t group = heads / keyValueHeads;
    const auto [begin, end] = team.share(count * keyValueHeads);
    if (begin == end) return;
    std::vector<float> scratch(rows::attendScratch(cache.longest(), group, size)),
        aside(group * size);
    std::vector<bf16> query(group * size);
    for (int64_t task = begin; task < end; ++task) {
      const int64_t row = task / keyValueHeads, head = task % keyValueHeads;
      float* const own = projected + row * width();
      float* const key = own + (heads + head) * size;
      const int64_t place = cache.last(row) + head * size;
      turn(own + head * group * size, row, group, queryNorm, aside.data(), query.data());
      turn(key, row, 1, keyNorm, aside.data(), keys + place);
      table<bf16>().narrowRow(key + keyValueHeads * size, values + place, size);
      rows::Reach<bf16> runs[2], next[2];
      cache.see(row, head, runs);
      cache.seeNext(row, count, head, next);
      rows::decodeLoops().attendBf16(query.data(), attended + (row * heads + head * group) * size,
                                     runs, next, group, size, cache.stride(), scale, softcap,
                                     scratch.data());
    }
  }

 private:
  // Norm and rotation of `count` heads of a row, x [count, size] -> to
  void turn(float* x, int64_t row, int64_t count, const bf16* norm, float* aside, bf16* to) const {
    if (norm != nullptr)
      for (int64_t h = 0; h < count; ++h)
        rows::decodeLoops().normRow(x + h * size, norm, x + h * size, size, epsilon, offset);
    const float* from = x;
    if (half > 0) {
      table<float>().rotate(x, cosine + row * half, sine + row * half, aside, 1, count, size, half,
                            1);
      from = aside;
    }
    table<bf16>().narrowRow(from, to, count * size);
  }
};

}  // namespace keel::decode
