// 32 codes of a group, and the values that they stand for: the form for any processor. expand.inc
// includes it inside its namespace; codes_avx512.h has the same functions.
struct Codes {
  uint8_t at[kGroup];
};
// What codes stand for: d (q - zero) + m, or one of 16 levels.
template <int Size>
struct Line {
  float d, m, zero;
};
struct Levels {
  const float* unit;
  float factor;
};

template <int Size>
inline Line<Size> line(float d, float m) {
  return {d, m, 0};
}
template <int Size>
inline Line<Size> centred(float d, int zero) {
  return {d, -0.f, static_cast<float>(zero)};
}
inline Levels levels(const float (&unit)[16], float factor) { return {unit, factor}; }

// 32 signed bytes
inline Codes bytes(const uint8_t* from) {
  Codes codes;
  std::memcpy(codes.at, from, kGroup);
  return codes;
}
// 16 bytes: the low nibbles are codes 0 to 15, the high ones 16 to 31
inline Codes nibbles(const uint8_t* from) {
  Codes codes;
  for (int i = 0; i < 16; ++i) {
    codes.at[i] = from[i] & 15;
    codes.at[16 + i] = from[i] >> 4;
  }
  return codes;
}
// 16 bytes of two codes each, the first in the high nibble
inline Codes alternating(const uint8_t* from) {
  Codes codes;
  for (int i = 0; i < 16; ++i) {
    codes.at[2 * i] = from[i] >> 4;
    codes.at[2 * i + 1] = from[i] & 15;
  }
  return codes;
}
// Some bits of each of 32 bytes.
template <int shift, int mask>
inline Codes bitsOf(const uint8_t* from) {
  Codes codes;
  for (int i = 0; i < kGroup; ++i) codes.at[i] = static_cast<uint8_t>(from[i] >> shift & mask);
  return codes;
}
// low + 2^shift high
template <int shift>
inline Codes joined(Codes low, const Codes& high) {
  for (int i = 0; i < kGroup; ++i) low.at[i] |= static_cast<uint8_t>(high.at[i] << shift);
  return low;
}
// Bit i of 4 bytes is the fifth bit of code i.
inline Codes withFifthBits(Codes codes, const uint8_t* from) {
  uint32_t bits;
  std::memcpy(&bits, from, 4);
  for (int i = 0; i < kGroup; ++i) codes.at[i] |= static_cast<uint8_t>((bits >> i & 1u) << 4);
  return codes;
}
// Signed codes, each smaller by `zero`.
inline Codes less(Codes codes, int zero) {
  for (int i = 0; i < kGroup; ++i) codes.at[i] = static_cast<uint8_t>(codes.at[i] - zero);
  return codes;
}

// to[i] = the value of code i
template <int Size, typename T>
inline void lookUp(const Line<Size>& values, const Codes& codes, T* to) {
  const auto [d, m, zero] = values;
#pragma omp simd
  for (int i = 0; i < kGroup; ++i)
    to[i] = narrow<T>(d * (static_cast<float>(codes.at[i]) - zero) + m);
}
template <typename T>
inline void lookUp(const Levels& values, const Codes& codes, T* to) {
  T narrowed[16];
  for (int i = 0; i < 16; ++i) narrowed[i] = narrow<T>(values.factor * values.unit[i]);
  for (int i = 0; i < kGroup; ++i) to[i] = narrowed[codes.at[i]];
}
// to[i] = factor q - minimum for the first or second 16 signed codes q
template <int Half, typename T>
inline void scaled(const Codes& codes, float factor, float minimum, T* to) {
#pragma omp simd
  for (int i = 16 * Half; i < 16 * Half + 16; ++i)
    to[i] = narrow<T>(factor * static_cast<float>(static_cast<int8_t>(codes.at[i])) - minimum);
}
