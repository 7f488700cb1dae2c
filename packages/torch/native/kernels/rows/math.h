// Scalar functions that the compiler can vectorise: conversions and exponentials without branches
// or calls.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "rows.h"

namespace keel::rows {
namespace {

inline float widen(float x) { return x; }
inline double widen(double x) { return x; }
inline float widen(bf16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float result;
  std::memcpy(&result, &bits, 4);
  return result;
}

template <typename T>
inline T narrow(Wide<T> x);
template <>
inline float narrow<float>(float x) {
  return x;
}
template <>
inline double narrow<double>(double x) {
  return x;
}
// Rounds to nearest even. NaN stays NaN.
template <>
inline bf16 narrow<bf16>(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return {static_cast<uint16_t>(x != x ? 0x7fc0u : rounded)};
}

// e^x as 2^n * e^r, |r| <= ln2 / 2, to within 2 units in the last place; 0 below -87.3, e^88.3
// above 88.3.
inline float exponential(float x) {
  const float clamped = x < -87.3f ? -87.3f : (x > 88.3f ? 88.3f : x);
  const float n = (clamped * 1.44269504088896341f + 12582912.f) - 12582912.f;
  const float r = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const int32_t shifted = (static_cast<int32_t>(n) + 127) << 23;
  float scale;
  std::memcpy(&scale, &shifted, 4);
  return x < -87.3f ? 0.0f : p * scale;
}
inline double exponential(double x) { return std::exp(x); }

template <typename W>
inline W logistic(W x) {
  return W(1) / (W(1) + exponential(-x));
}

// tanh from the exponential: 1 - 2 / (e^2x + 1)
template <typename W>
inline W hyperbolicTangent(W x) {
  return W(1) - W(2) / (exponential(W(2) * x) + W(1));
}
inline double hyperbolicTangent(double x) { return std::tanh(x); }

// Standard normal distribution function at x, given bell = e^(-x^2 / 2). Its tail is bell * k *
// p(k), k = 1 / (1 + 0.3 |x|), where p is the polynomial with the smallest relative error (4e-9 for
// |x| < 13). In float32 the error of the result is below 2e-7.
inline float normalDistribution(float x, float bell) {
  const float k = 1.0f / (1.0f + 0.3f * std::fabs(x));
  float p = -0.0205846559f;
  p = p * k + 0.112217136f;
  p = p * k - 0.227679595f;
  p = p * k + 0.191042125f;
  p = p * k - 0.0787777975f;
  p = p * k + 0.0957932919f;
  p = p * k + 0.0785218552f;
  p = p * k + 0.110205546f;
  p = p * k + 0.119575612f;
  p = p * k + 0.119686484f;
  const float tail = bell * k * p;
  return x < 0.0f ? tail : 1.0f - tail;
}
inline double normalDistribution(double x, double) {
  return 0.5 * std::erfc(x * -0.70710678118654752440);
}

}  // namespace
}  // namespace keel::rows
