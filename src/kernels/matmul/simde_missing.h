// The AVX-512 intrinsics of the kernels that SIMDe 0.7.4 lacks, from the 256-bit halves that it
// has. Test builds only; included by x86.h.
#pragma once

#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace hone::kernels {

// The intrinsics' own names.
// NOLINTBEGIN(bugprone-reserved-identifier)
using __mmask16 = simde__mmask16;

inline __m512i JoinHalves(__m256i low, __m256i high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

inline __m256i HighHalf(__m512i x) {
  return _mm512_extracti64x4_epi64(x, 1);
}

inline __m512i _mm512_cvtepu8_epi32(__m128i x) {
  return JoinHalves(_mm256_cvtepu8_epi32(x), _mm256_cvtepu8_epi32(_mm_srli_si128(x, 8)));
}

inline __m512i _mm512_mulhi_epu16(__m512i a, __m512i b) {
  return JoinHalves(_mm256_mulhi_epu16(_mm512_castsi512_si256(a), _mm512_castsi512_si256(b)),
                    _mm256_mulhi_epu16(HighHalf(a), HighHalf(b)));
}

inline __m512 _mm512_cvtepi32_ps(__m512i x) {
  return _mm512_castsi512_ps(
      JoinHalves(_mm256_castps_si256(_mm256_cvtepi32_ps(_mm512_castsi512_si256(x))),
                 _mm256_castps_si256(_mm256_cvtepi32_ps(HighHalf(x)))));
}

inline __m512i _mm512_cvtps_epi32(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  return JoinHalves(_mm256_cvtps_epi32(_mm256_castsi256_ps(_mm512_castsi512_si256(bits))),
                    _mm256_cvtps_epi32(_mm256_castsi256_ps(HighHalf(bits))));
}

inline __m512 _mm512_maskz_loadu_ps(__mmask16 mask, const float* p) {
  float lanes[16] = {};
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i & 1) != 0) lanes[i] = p[i];
  }
  return _mm512_loadu_ps(lanes);
}

inline void _mm512_mask_storeu_ps(float* p, __mmask16 mask, __m512 x) {
  float lanes[16];
  std::memcpy(lanes, &x, sizeof lanes);
  for (int i = 0; i < 16; ++i) {
    if ((mask >> i & 1) != 0) p[i] = lanes[i];
  }
}

struct Lanes512 {
  explicit Lanes512(__m512 x) { std::memcpy(f, &x, sizeof f); }
  explicit Lanes512(__m512i x) { std::memcpy(i, &x, sizeof i); }
  union {
    float f[16];
    std::int32_t i[16];
  };
};

inline __m256i _mm512_cvtepi32_epi16(__m512i x) {
  const Lanes512 lanes(x);
  std::int16_t low[16];
  for (int i = 0; i < 16; ++i) low[i] = static_cast<std::int16_t>(lanes.i[i]);
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(low));
}

inline __m256i _mm512_cvtusepi16_epi8(__m512i x) {
  std::uint16_t wide[32];
  std::uint8_t narrow[32];
  std::memcpy(wide, &x, sizeof wide);
  for (int i = 0; i < 32; ++i) {
    narrow[i] = static_cast<std::uint8_t>(std::min<std::uint16_t>(wide[i], 255));
  }
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(narrow));
}

// As vmaxps, whose result is the second operand where either is NaN.
inline float _mm512_reduce_max_ps(__m512 x) {
  const Lanes512 lanes(x);
  float largest = lanes.f[0];
  for (const float v : lanes.f) largest = largest > v ? largest : v;
  return largest;
}

inline std::int32_t _mm512_reduce_max_epi32(__m512i x) {
  const Lanes512 lanes(x);
  return *std::max_element(lanes.i, lanes.i + 16);
}

inline std::int32_t _mm512_reduce_add_epi32(__m512i x) {
  const Lanes512 lanes(x);
  std::uint32_t sum = 0;  // wraps, as the instruction does
  for (const std::int32_t v : lanes.i) sum += static_cast<std::uint32_t>(v);
  return static_cast<std::int32_t>(sum);
}

#define _MM_FROUND_NO_EXC SIMDE_MM_FROUND_NO_EXC

// What rounding down takes away; the only rounding that the kernels ask for. Of ±inf nothing.
inline __m512 _mm512_reduce_ps(__m512 x, int) {
  Lanes512 lanes(x);
  for (float& v : lanes.f) v = std::isinf(v) ? 0.0f : v - std::floor(v);
  return _mm512_loadu_ps(lanes.f);
}
// NOLINTEND(bugprone-reserved-identifier)

}  // namespace hone::kernels
