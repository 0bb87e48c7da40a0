// 2^x and e^x of vectors of f32, relative error ≤ 2e-7.
#if defined(HONE_KERNELS_SIMD_EXP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef HONE_KERNELS_SIMD_EXP_INL_H
#undef HONE_KERNELS_SIMD_EXP_INL_H
#else
#define HONE_KERNELS_SIMD_EXP_INL_H
#endif

#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels::HWY_NAMESPACE {

inline constexpr float kLog2E = 1.44269504088896340736f;
inline constexpr float kLog2ELow = 1.92596299e-8f;  // log2 e - kLog2E

// Minimum and maximum with a constant that let NaN through: x86 returns the second operand when one
// is NaN, and Arm's instructions propagate it.
HWY_INLINE F32V AtLeast(F32V v, float low) {
  const F32V limit = hn::Set(F32(), low);
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Lt(v, limit), limit, v);
#else
  return hn::Max(limit, v);
#endif
}
HWY_INLINE F32V AtMost(F32V v, float high) {
  const F32V limit = hn::Set(F32(), high);
#if HWY_TARGET == HWY_SCALAR
  return hn::IfThenElse(hn::Gt(v, limit), limit, v);
#else
  return hn::Min(limit, v);
#endif
}

// 2^(n + f) by a minimax polynomial of degree 5 (7.5e-8) in |f| ≤ 1/2. `biased` is n + kRound,
// whose low bits therefore are the exponent field of 2^n.
inline constexpr float kRound = 12582912.0f + 127.0f;  // 1.5 · 2^23 + bias

HWY_INLINE F32V Exp2Parts(F32V biased, F32V f) {
  const F32 d;
  F32V p = hn::Set(d, 1.327647069e-3f);
  p = hn::MulAdd(p, f, hn::Set(d, 9.675541324e-3f));
  p = hn::MulAdd(p, f, hn::Set(d, 5.550713278e-2f));
  p = hn::MulAdd(p, f, hn::Set(d, 2.402211972e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 6.931469671e-1f));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0f));
  const F32V power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(I32(), biased)));
  return hn::Mul(p, power);
}

// 2^x for x ≤ 0; exactly zero below -127, -inf included, and NaN for NaN.
HWY_INLINE F32V Exp2OfNegative(F32V x) {
  const F32V round = hn::Set(F32(), kRound);
  x = AtLeast(x, -127.0f);
  const F32V biased = hn::Add(x, round);
  return Exp2Parts(biased, hn::Sub(x, hn::Sub(biased, round)));
}

// e^x, saturating at 2^±127.
HWY_INLINE F32V Exp(F32V x) {
  const F32 d;
  const F32V round = hn::Set(d, kRound), log2e = hn::Set(d, kLog2E);
  x = AtMost(AtLeast(x, -88.02969f), 88.02969f);
  const F32V biased = hn::MulAdd(x, log2e, round);
  // The product once more, exactly: the rounding error of x·log2 e would be the result's.
  const F32V f = hn::MulSub(x, log2e, hn::Sub(biased, round));
  return Exp2Parts(biased, hn::MulAdd(x, hn::Set(d, kLog2ELow), f));
}

}  // namespace hone::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
