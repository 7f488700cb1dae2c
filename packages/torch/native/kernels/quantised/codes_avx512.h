// codes.h in vectors of AVX-512: a whole group is expanded in registers. expand.inc includes it
// inside its namespace.
using Codes = __m256i;

// Values d q + m, or d (q - zero), of all codes q; or levels.
template <int Size>
struct Values {
  __m512 at[Size / 16];
};

inline __m512 places() {
  return _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

template <int Size>
inline Values<Size> line(float d, float m) {
  Values<Size> values;
  for (int i = 0; i < Size / 16; ++i)
    values.at[i] = _mm512_fmadd_ps(_mm512_set1_ps(d),
                                   _mm512_add_ps(places(), _mm512_set1_ps(16.f * i)),
                                   _mm512_set1_ps(m));
  return values;
}
template <int Size>
inline Values<Size> centred(float d, int zero) {
  Values<Size> values;
  for (int i = 0; i < Size / 16; ++i)
    values.at[i] = _mm512_mul_ps(
        _mm512_set1_ps(d),
        _mm512_add_ps(places(), _mm512_set1_ps(static_cast<float>(16 * i - zero))));
  return values;
}
inline Values<16> levels(const float (&unit)[16], float factor) {
  return {{_mm512_mul_ps(_mm512_load_ps(unit), _mm512_set1_ps(factor))}};
}

inline Codes bytes(const uint8_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
inline __m128i halfOf(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
inline __m128i upper(__m128i pairs) {
  return _mm_and_si128(_mm_srli_epi16(pairs, 4), _mm_set1_epi8(15));
}
// 16 bytes of two codes each, which the look-up takes apart.
struct Nibbles {
  __m128i pairs;
};
inline Nibbles nibbles(const uint8_t* from) { return {halfOf(from)}; }
inline Codes apart(Nibbles nibbles) {
  return _mm256_set_m128i(upper(nibbles.pairs),
                          _mm_and_si128(nibbles.pairs, _mm_set1_epi8(15)));
}
inline Codes alternating(const uint8_t* from) {
  const __m128i pairs = halfOf(from), high = upper(pairs),
                low = _mm_and_si128(pairs, _mm_set1_epi8(15));
  return _mm256_set_m128i(_mm_unpackhi_epi8(high, low), _mm_unpacklo_epi8(high, low));
}
template <int shift, int mask>
inline Codes bitsOf(const uint8_t* from) {
  return _mm256_and_si256(_mm256_srli_epi16(bytes(from), shift), _mm256_set1_epi8(mask));
}
template <int shift>
inline Codes joined(Codes low, Codes high) {
  return _mm256_or_si256(low, _mm256_slli_epi16(high, shift));
}
inline Codes withFifthBits(Nibbles low, const uint8_t* from) {
  const Codes codes = apart(low);
  uint32_t bits;
  std::memcpy(&bits, from, 4);
  return _mm256_or_si256(codes, _mm256_maskz_set1_epi8(bits, 16));
}
inline Codes less(Codes codes, int zero) {
  return _mm256_sub_epi8(codes, _mm256_set1_epi8(static_cast<char>(zero)));
}

// Rounds to nearest even, as `narrow`. AVX-512 BF16's instruction differs only for denormal values,
// which no scale in half precision gives.
inline __m256i narrowed(__m512 x) {
#ifdef __AVX512BF16__
  return reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(x));
#else
  const __m512i bits = _mm512_castps_si512(x),
                odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1)),
                sum = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 unordered = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(
      _mm512_mask_mov_epi32(_mm512_srli_epi32(sum, 16), unordered, _mm512_set1_epi32(0x7fc0)));
#endif
}
inline void store(__m512 x, float* to) { _mm512_storeu_ps(to, x); }
inline void store(__m512 x, bf16* to) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), narrowed(x));
}

template <int Half>
inline __m128i part(Codes codes) {
  return Half == 0 ? _mm256_castsi256_si128(codes) : _mm256_extracti128_si256(codes, 1);
}

template <int Size>
inline void lookUp(const Values<Size>& values, Codes codes, bf16* to) {
  __m512i table = _mm512_castsi256_si512(narrowed(values.at[0]));
  if constexpr (Size == 32) table = _mm512_inserti64x4(table, narrowed(values.at[1]), 1);
  _mm512_storeu_si512(to, _mm512_permutexvar_epi16(_mm512_cvtepu8_epi16(codes), table));
}
// With 16 words, the look-up ignores all but the low four bits of an index.
inline void lookUp(const Values<16>& values, Nibbles codes, bf16* to) {
  const __m256i table = narrowed(values.at[0]), at = _mm256_cvtepu8_epi16(codes.pairs);
  auto* const into = reinterpret_cast<__m256i*>(to);
  _mm256_storeu_si256(into, _mm256_permutexvar_epi16(at, table));
  _mm256_storeu_si256(into + 1, _mm256_permutexvar_epi16(_mm256_srli_epi16(at, 4), table));
}
template <int Size>
inline void lookUp(const Values<Size>& values, Codes codes, float* to) {
  const auto found = [&](__m128i some) {
    const __m512i at = _mm512_cvtepu8_epi32(some);
    if constexpr (Size == 16) return _mm512_permutexvar_ps(at, values.at[0]);
    else return _mm512_permutex2var_ps(values.at[0], at, values.at[1]);
  };
  store(found(part<0>(codes)), to);
  store(found(part<1>(codes)), to + 16);
}
inline void lookUp(const Values<16>& values, Nibbles codes, float* to) {
  lookUp(values, apart(codes), to);
}
template <int Half, typename T>
inline void scaled(Codes codes, float factor, float minimum, T* to) {
  const __m512 q = _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(part<Half>(codes)));
  store(_mm512_fmsub_ps(_mm512_set1_ps(factor), q, _mm512_set1_ps(minimum)), to + 16 * Half);
}
