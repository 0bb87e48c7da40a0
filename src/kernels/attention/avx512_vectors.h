// The vectors of AVX-512 VNNI as reduced-inl.h wants them: q, k in 8 bits, probabilities and values in
// 16. Included inside a target region (kernels/matmul/x86.h).
#pragma once

#include <cstddef>
#include <cstdint>

namespace hone::kernels {
namespace {

struct Avx512Vectors {
  using F = __m512;
  using I = __m512i;
  static constexpr int kLanes = 16;
  static constexpr int kKeyBits = 8, kValueBits = 16;
  static constexpr int kQueryOffset = 128, kAtOnce = 1;
  static constexpr float kKeyMax = 127, kValueMax = 511;
  static constexpr int kProbabilityMax = 8192;
  static constexpr int kRows = 12;  // 24 sums and 2 operands of 32 registers

  static F Set(float v) { return _mm512_set1_ps(v); }
  static F LoadU(const float* p) { return _mm512_loadu_ps(p); }
  static F LoadFirst(const float* p, int n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
  }
  static void StoreU(F v, float* p) { _mm512_storeu_ps(p, v); }
  static F Add(F a, F b) { return _mm512_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F MulAdd(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F Max(F a, F b) { return _mm512_max_ps(a, b); }
  static float Largest(F v) { return _mm512_reduce_max_ps(v); }

  static I SetI(std::int32_t v) { return _mm512_set1_epi32(v); }
  static I LoadI(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static void StoreI(I v, std::int32_t* p) { _mm512_storeu_si512(p, v); }
  static I MagnitudeBits(F v) { return _mm512_castps_si512(_mm512_abs_ps(v)); }
  static I AddI(I a, I b) { return _mm512_add_epi32(a, b); }
  static I MaxI(I a, I b) { return _mm512_max_epi32(a, b); }
  static std::int32_t LargestI(I v) { return _mm512_reduce_max_epi32(v); }
  static I Round(F v) { return _mm512_cvtps_epi32(v); }
  static F ToFloat(I v) { return _mm512_cvtepi32_ps(v); }
  static std::int32_t SumI(I v) { return _mm512_reduce_add_epi32(v); }
  // Signed bytes; of queries with 128 added, since vpdpbusd wants one operand unsigned.
  static void StoreEncoded(I v, bool query, std::byte* p) {
    const __m128i bytes = _mm512_cvtsepi32_epi8(v), sign = _mm_set1_epi8(-128);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), query ? _mm_xor_si128(bytes, sign) : bytes);
  }
  // The low halves of a and b side by side.
  static I Pairs(I a, I b) {
    return _mm512_mask_blend_epi16(0xAAAAAAAA, a, _mm512_slli_epi32(b, 16));
  }
  static I Words(const I (&v)[2]) { return Pairs(v[0], v[1]); }
  static void StorePacked(I a, I b, std::int32_t* p) { StoreI(_mm512_packs_epi32(a, b), p); }
#if defined(HONE_SIMDE)
  static I DotKeys(I sum, const I (&a)[1], const I (&b)[1]) {
    return _mm512_dpbusd_epi32(sum, a[0], b[0]);
  }
  static I DotValues(I sum, const I (&a)[1], const I (&b)[1]) {
    return _mm512_dpwssd_epi32(sum, a[0], b[0]);
  }
#else
  // Not the intrinsics: around them GCC 12 copies every sum to another register and to the stack,
  // which made the whole kernel 1.5 times slower.
  static I DotKeys(I sum, const I (&a)[1], const I (&b)[1]) {
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a[0]), "v"(b[0]));
    return sum;
  }
  static I DotValues(I sum, const I (&a)[1], const I (&b)[1]) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(a[0]), "v"(b[0]));
    return sum;
  }
#endif

  // 2^x by a minimax polynomial of degree 3 in the fraction (7.5e-5); 0 for -inf.
  static F Exp2(F x) {
    const F f = _mm512_reduce_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    F p = Set(7.802451355e-2f);
    p = MulAdd(p, f, Set(2.260671684e-1f));
    p = MulAdd(p, f, Set(6.958335361e-1f));
    p = MulAdd(p, f, Set(9.999252188e-1f));
    return _mm512_scalef_ps(p, x);
  }
};

}  // namespace
}  // namespace hone::kernels
