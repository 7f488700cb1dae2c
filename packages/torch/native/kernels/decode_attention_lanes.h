// The inner loops of keel::decode_attention, on the compiler's own vector types, so that one source serves
// every instruction set: each clone of the caller is compiled for its own.
#pragma once
#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

// Clones by architecture level came with GCC 12 and clang 18; older ones compile for the baseline.
#if defined(__x86_64__) && defined(__linux__) && \
    ((defined(__clang__) && __clang_major__ >= 18) || (!defined(__clang__) && __GNUC__ >= 12))
#define KEEL_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KEEL_CLONES
#endif
#define KEEL_INLINE inline __attribute__((always_inline))

namespace keel {
namespace {

constexpr int64_t kMaximumLanes = 16;

typedef float FloatLanes __attribute__((vector_size(64)));
typedef int32_t IntLanes __attribute__((vector_size(64)));
typedef uint32_t BitLanes __attribute__((vector_size(64)));
typedef uint16_t HalfLanes __attribute__((vector_size(32)));
typedef double DoubleLanes __attribute__((vector_size(64)));

// Vector values go through references: passing them by value would depend on the instruction set.
template <typename Element> struct Lanes;
template <> struct Lanes<float> {
  using Wide = float;
  using Vector = FloatLanes;
  static constexpr int64_t count = 16;
  static KEEL_INLINE void load(const float* from, Vector& into) { std::memcpy(&into, from, sizeof into); }
};
template <> struct Lanes<double> {
  using Wide = double;
  using Vector = DoubleLanes;
  static constexpr int64_t count = 8;
  static KEEL_INLINE void load(const double* from, Vector& into) { std::memcpy(&into, from, sizeof into); }
};
template <> struct Lanes<c10::BFloat16> {
  using Wide = float;
  using Vector = FloatLanes;
  static constexpr int64_t count = 16;
  static KEEL_INLINE void load(const c10::BFloat16* from, Vector& into) {
    HalfLanes half;
    std::memcpy(&half, from, sizeof half);
    const BitLanes bits = __builtin_convertvector(half, BitLanes) << 16;
    std::memcpy(&into, &bits, sizeof into);
  }
};

template <typename Wide, typename Vector>
KEEL_INLINE Wide sumOf(const Vector& lanes) {
  constexpr int count = sizeof(Vector) / sizeof(Wide);
  Wide parts[count];
  std::memcpy(parts, &lanes, sizeof lanes);
  for (int half = count / 2; half > 0; half /= 2)
    for (int i = 0; i < half; ++i) parts[i] += parts[i + half];
  return parts[0];
}

// values[i] = exp(values[i] - highest) for count padded to whole vectors; values are at most highest.
KEEL_INLINE void exponentials(float* values, int64_t padded, float highest) {
  for (int64_t i = 0; i < padded; i += 16) {
    FloatLanes x;
    std::memcpy(&x, values + i, sizeof x);
    x -= highest;
    const IntLanes below = x < -87.0f;  // exp(-87) is the smallest normal number: less counts as nothing
    x = below ? (FloatLanes{} - 87.0f) : x;
    const IntLanes power = __builtin_convertvector(x * 1.44269504f - 0.5f, IntLanes);  // nearest, as x <= 0
    const FloatLanes whole = __builtin_convertvector(power, FloatLanes);
    const FloatLanes r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;  // Cephes' two-part ln 2
    FloatLanes y = r * 1.9875691500e-4f + 1.3981999507e-3f;
    y = y * r + 8.3334519073e-3f;
    y = y * r + 4.1665795894e-2f;
    y = y * r + 1.6666665459e-1f;
    y = y * r + 5.0000001201e-1f;
    y = y * r * r + r + 1.0f;
    const IntLanes bits = (power + 127) << 23;
    FloatLanes scale;
    std::memcpy(&scale, &bits, sizeof scale);
    y = below ? FloatLanes{} : y * scale;
    std::memcpy(values + i, &y, sizeof y);
  }
}
KEEL_INLINE void exponentials(double* values, int64_t padded, double highest) {
  for (int64_t i = 0; i < padded; ++i) values[i] = std::exp(values[i] - highest);
}

// A run of keys and values of one head, a token every `stride` elements.
template <typename Element>
struct Reach {
  const Element* keys;
  const Element* values;
  int64_t length;
};

// Products of `Heads` queries with every key of a run. A key is loaded once for all of them.
template <int Heads, typename Element, typename Wide = typename Lanes<Element>::Wide>
KEEL_INLINE void score(const Wide* query, int64_t queryStride, const Reach<Element>& run, int64_t size, int64_t stride,
                       Wide* scores, int64_t scoreStride, Wide scale) {
  using L = Lanes<Element>;
  const int64_t whole = size / L::count * L::count;
  for (int64_t t = 0; t < run.length; ++t) {
    const Element* key = run.keys + t * stride;
    typename L::Vector sums[Heads] = {};
    for (int64_t d = 0; d < whole; d += L::count) {
      typename L::Vector k, q;
      L::load(key + d, k);
      for (int h = 0; h < Heads; ++h) {
        Lanes<Wide>::load(query + h * queryStride + d, q);
        sums[h] += q * k;
      }
    }
    for (int h = 0; h < Heads; ++h) {
      Wide sum = sumOf<Wide>(sums[h]);
      for (int64_t d = whole; d < size; ++d) sum += query[h * queryStride + d] * static_cast<Wide>(key[d]);
      scores[h * scoreStride + t] = sum * scale;
    }
  }
}

// Adds the weighted values of a run to `Heads` results.
template <int Heads, typename Element, typename Wide = typename Lanes<Element>::Wide>
KEEL_INLINE void gather(const Wide* weights, int64_t weightStride, const Reach<Element>& run, int64_t size,
                        int64_t stride, Wide* results, int64_t resultStride) {
  using L = Lanes<Element>;
  const int64_t whole = size / L::count * L::count;
  for (int64_t d = 0; d < whole; d += L::count) {
    typename L::Vector sums[Heads];
    for (int h = 0; h < Heads; ++h) Lanes<Wide>::load(results + h * resultStride + d, sums[h]);
    for (int64_t t = 0; t < run.length; ++t) {
      typename L::Vector v;
      L::load(run.values + t * stride + d, v);
      for (int h = 0; h < Heads; ++h) sums[h] += v * weights[h * weightStride + t];
    }
    for (int h = 0; h < Heads; ++h) std::memcpy(results + h * resultStride + d, &sums[h], sizeof sums[h]);
  }
  for (int64_t d = whole; d < size; ++d)
    for (int h = 0; h < Heads; ++h)
      for (int64_t t = 0; t < run.length; ++t)
        results[h * resultStride + d] += weights[h * weightStride + t] * static_cast<Wide>(run.values[t * stride + d]);
}

// The query heads that share one key-value head, in groups of `Heads`. scratch: (longest + 2 size + 3 lanes) doubles a head.
template <int Heads, typename Element>
KEEL_INLINE void attendHeads(const Element* query, Element* result, const Reach<Element>* runs, int64_t size,
                             int64_t stride, double scale, double softcap, double* scratch) {
  using Wide = typename Lanes<Element>::Wide;
  constexpr int64_t lanes = Lanes<Element>::count;
  const int64_t total = runs[0].length + runs[1].length;
  const int64_t padded = (total + lanes - 1) / lanes * lanes, width = (size + lanes - 1) / lanes * lanes;
  Wide* scores = reinterpret_cast<Wide*>(scratch);  // [Heads, padded]
  Wide* wideQuery = scores + Heads * padded;        // [Heads, width]
  Wide* sums = wideQuery + Heads * width;           // [Heads, width]
  for (int h = 0; h < Heads; ++h) {
    for (int64_t d = 0; d < size; ++d) wideQuery[h * width + d] = static_cast<Wide>(query[h * size + d]);
    std::fill(sums + h * width, sums + (h + 1) * width, Wide(0));
  }
  score<Heads>(wideQuery, width, runs[0], size, stride, scores, padded, static_cast<Wide>(scale));
  score<Heads>(wideQuery, width, runs[1], size, stride, scores + runs[0].length, padded, static_cast<Wide>(scale));
  Wide normaliser[Heads];
  for (int h = 0; h < Heads; ++h) {
    Wide* row = scores + h * padded;
    if (softcap > 0)
      for (int64_t t = 0; t < total; ++t) row[t] = static_cast<Wide>(softcap) * std::tanh(row[t] / static_cast<Wide>(softcap));
    const Wide highest = *std::max_element(row, row + total);
    std::fill(row + total, row + padded, highest);
    exponentials(row, padded, highest);
    Wide sum = 0;
    for (int64_t t = 0; t < total; ++t) sum += row[t];
    normaliser[h] = sum;
  }
  gather<Heads>(scores, padded, runs[0], size, stride, sums, width);
  gather<Heads>(scores + runs[0].length, padded, runs[1], size, stride, sums, width);
  for (int h = 0; h < Heads; ++h)
    for (int64_t d = 0; d < size; ++d)
      result[h * size + d] = static_cast<Element>(sums[h * width + d] / normaliser[h]);
}

template <typename Element>
KEEL_INLINE void attendBody(const Element* query, Element* result, const Reach<Element>* runs, int64_t group,
                            int64_t size, int64_t stride, double scale, double softcap, double* scratch) {
  int64_t head = 0;
  for (; head + 4 <= group; head += 4)
    attendHeads<4>(query + head * size, result + head * size, runs, size, stride, scale, softcap, scratch);
  const Element* rest = query + head * size;
  Element* into = result + head * size;
  if (group - head == 3) attendHeads<3>(rest, into, runs, size, stride, scale, softcap, scratch);
  if (group - head == 2) attendHeads<2>(rest, into, runs, size, stride, scale, softcap, scratch);
  if (group - head == 1) attendHeads<1>(rest, into, runs, size, stride, scale, softcap, scratch);
}

}  // namespace
}  // namespace keel
