// The vectors of NEON with dot products as reduced-inl.h wants them: all factors in 8 bits, signed.
// Included inside a target region (kernels/matmul/neon.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/attention/nearest_exp2.h"

namespace hone::kernels {
namespace {

struct NeonVectors {
  using F = float32x4_t;
  using I = int32x4_t;
  static constexpr int kLanes = 4;
  static constexpr int kKeyBits = 8, kValueBits = 8;
  static constexpr int kRows = 8;  // 16 sums and 3 operands of 32 registers
  static constexpr int kQueryOffset = 0, kAtOnce = 1;
  static constexpr float kKeyMax = 127, kValueMax = 127;

  static F Set(float v) { return vdupq_n_f32(v); }
  static F LoadU(const float* p) { return vld1q_f32(p); }
  static F LoadFirst(const float* p, int n) {
    float four[kLanes] = {};
    std::memcpy(four, p, static_cast<std::size_t>(n) * sizeof(float));
    return vld1q_f32(four);
  }
  static void StoreU(F v, float* p) { vst1q_f32(p, v); }
  static F Add(F a, F b) { return vaddq_f32(a, b); }
  static F Sub(F a, F b) { return vsubq_f32(a, b); }
  static F Mul(F a, F b) { return vmulq_f32(a, b); }
  static F MulAdd(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  static F Max(F a, F b) { return vmaxq_f32(a, b); }
  static float Largest(F v) { return vmaxvq_f32(v); }

  static I SetI(std::int32_t v) { return vdupq_n_s32(v); }
  static I LoadI(const std::int32_t* p) { return vld1q_s32(p); }
  static void StoreI(I v, std::int32_t* p) { vst1q_s32(p, v); }
  static I MagnitudeBits(F v) { return vandq_s32(vreinterpretq_s32_f32(v), SetI(0x7FFFFFFF)); }
  static I AddI(I a, I b) { return vaddq_s32(a, b); }
  static I MaxI(I a, I b) { return vmaxq_s32(a, b); }
  static std::int32_t LargestI(I v) { return vmaxvq_s32(v); }
  static std::int32_t SumI(I v) { return vaddvq_s32(v); }
  static I Round(F v) { return vcvtnq_s32_f32(v); }
  static F ToFloat(I v) { return vcvtq_f32_s32(v); }

  static void StoreEncoded(I v, bool /*query*/, std::byte* p) {
    const int16x4_t narrow = vqmovn_s32(v);
    const int8x8_t bytes = vqmovn_s16(vcombine_s16(narrow, narrow));
    const std::int32_t four = vget_lane_s32(vreinterpret_s32_s8(bytes), 0);
    std::memcpy(p, &four, sizeof four);
  }
  // The lowest bytes of the four side by side.
  static I Words(const I (&v)[4]) {
    return vsliq_n_s32(vsliq_n_s32(vsliq_n_s32(v[0], v[1], 8), v[2], 16), v[3], 24);
  }
  static void StorePacked(I a, I b, std::int32_t* p) {
    const uint8x8_t bytes = vqmovun_s16(vcombine_s16(vqmovn_s32(a), vqmovn_s32(b)));
    vst1_u8(reinterpret_cast<std::uint8_t*>(p), bytes);
  }
  static I DotKeys(I sum, const I (&q)[1], const I (&k)[1]) {
    return vdotq_s32(sum, vreinterpretq_s8_s32(q[0]), vreinterpretq_s8_s32(k[0]));
  }

  // The float whose exponent field are the low bits of v.
  static F AsExponent(F v) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(v), 23));
  }
  static F Exp2(F x) { return NearestExp2<NeonVectors>(x); }
};

}  // namespace
}  // namespace hone::kernels
