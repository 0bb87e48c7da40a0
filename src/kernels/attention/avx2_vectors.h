// The vectors of AVX2 as reduced-inl.h wants them, except for the factors' formats and their
// products. Included inside a target region (kernels/matmul/x86.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/nearest_exp2.h"

namespace hone::kernels {
namespace {

struct Avx2Vectors {
  using F = __m256;
  using I = __m256i;
  static constexpr int kLanes = 8;
  static constexpr int kQueryOffset = 0, kAtOnce = 1;
  static constexpr int kProbabilityMax = 8192;

  static F Set(float v) { return _mm256_set1_ps(v); }
  static F LoadU(const float* p) { return _mm256_loadu_ps(p); }
  static F LoadFirst(const float* p, int n) {
    alignas(32) static constexpr std::int32_t kMask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_maskload_ps(p, LoadI(kMask + 8 - n));
  }
  static void StoreU(F v, float* p) { _mm256_storeu_ps(p, v); }
  static F Add(F a, F b) { return _mm256_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static F Max(F a, F b) { return _mm256_max_ps(a, b); }
  static float Largest(F v) {
    __m128 h = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    h = _mm_max_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_max_ss(h, _mm_movehdup_ps(h)));
  }

  static I SetI(std::int32_t v) { return _mm256_set1_epi32(v); }
  static I LoadI(const std::int32_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static void StoreI(I v, std::int32_t* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v);
  }
  static I MagnitudeBits(F v) { return _mm256_and_si256(_mm256_castps_si256(v), SetI(0x7FFFFFFF)); }
  static I AddI(I a, I b) { return _mm256_add_epi32(a, b); }
  static I MaxI(I a, I b) { return _mm256_max_epi32(a, b); }
  static std::int32_t LargestI(I v) {
    __m128i h = _mm_max_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    h = _mm_max_epi32(h, _mm_shuffle_epi32(h, 0x4E));
    return _mm_cvtsi128_si32(_mm_max_epi32(h, _mm_shuffle_epi32(h, 0xB1)));
  }
  static std::int32_t SumI(I v) {
    __m128i h = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    h = _mm_add_epi32(h, _mm_shuffle_epi32(h, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(h, _mm_shuffle_epi32(h, 0xB1)));
  }
  static I Round(F v) { return _mm256_cvtps_epi32(v); }
  static F ToFloat(I v) { return _mm256_cvtepi32_ps(v); }
  // The low halves of a and b side by side.
  static I Pairs(I a, I b) { return _mm256_blend_epi16(a, _mm256_slli_epi32(b, 16), 0xAA); }
  // Probabilities and values in 16 bits, and in 8.
  static I Words(const I (&v)[2]) { return Pairs(v[0], v[1]); }
  static I Words(const I (&v)[4]) {
    return _mm256_blendv_epi8(Pairs(v[0], v[2]), _mm256_slli_epi16(Pairs(v[1], v[3]), 8),
                              _mm256_set1_epi16(static_cast<std::int16_t>(0xFF00)));
  }
  static void StorePacked(I a, I b, std::int32_t* p) { StoreI(_mm256_packs_epi32(a, b), p); }
  static void StorePackedBytes(I a, I b, std::int32_t* p) {
    const I pairs = _mm256_packs_epi32(a, b), bytes = _mm256_packus_epi16(pairs, pairs);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm256_castsi256_si128(_mm256_permute4x64_epi64(bytes, 0x08)));
  }
  // The eight integers of v as 16-bit ones.
  static __m128i Narrow(I v) {
    return _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  }
  // As 8-bit ones with `offset` added.
  static void StoreBytes(I v, int offset, std::byte* p) {
    const __m128i narrow = Narrow(v), bytes = _mm_packs_epi16(narrow, narrow);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p),
                     _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(offset))));
  }

  // The float whose exponent field are the low bits of v.
  static F AsExponent(F v) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(v), 23));
  }
  static F Exp2(F x) { return NearestExp2<Avx2Vectors>(x); }
};

}  // namespace
}  // namespace hone::kernels
