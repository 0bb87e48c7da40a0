// The activations of kernels/activation.h on vectors, for kernels that apply them to sums in
// registers.
#if defined(HONE_KERNELS_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef HONE_KERNELS_ACTIVATION_INL_H
#undef HONE_KERNELS_ACTIVATION_INL_H
#else
#define HONE_KERNELS_ACTIVATION_INL_H
#endif

#include "hwy/highway.h"
#include "kernels/activation.h"
#include "kernels/simd/exp-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels::HWY_NAMESPACE {

// x·Φ(x) = max(x, 0) - z·(1 - Φ(z)) with z = |x|: the correction vanishes for large z, where it is
// held at its value in 5.2 (5e-7). Φ(z) - ½ = z·P(z²); P is minimax in the product's error
// (6.7e-7), and a polynomial in u = 2z²/5.2² - 1, since the powers of z² itself would cancel.
HWY_INLINE F32V Gelu(F32V x) {
  constexpr float kLimit = 5.2f;
  constexpr float kP[] = {1.359499325e-01f, -6.774340239e-02f, 5.003016752e-02f, -3.994129957e-02f,
                          3.190726390e-02f, -2.459341079e-02f, 1.838716075e-02f, -1.310333091e-02f,
                          7.557836350e-03f, -3.505728681e-03f, 2.853607781e-03f, -2.503711637e-03f,
                          8.587670310e-04f};
  const F32 d;
  const F32V z = AtMost(hn::Abs(x), kLimit);
  const F32V u = hn::MulAdd(hn::Mul(z, z), hn::Set(d, 2 / (kLimit * kLimit)), hn::Set(d, -1.0f));
  F32V p = hn::Set(d, kP[12]);
#pragma GCC unroll 12
  for (int i = 11; i >= 0; --i) p = hn::MulAdd(p, u, hn::Set(d, kP[i]));
  const F32V tail = hn::NegMulAdd(z, p, hn::Set(d, 0.5f));
  return hn::NegMulAdd(z, tail, AtLeast(x, 0.0f));
}

// x / (1 + e^-y)
HWY_INLINE F32V TimesSigmoid(F32V x, F32V y) {
  const F32V one = hn::Set(F32(), 1.0f);
  return hn::Div(x, hn::Add(one, Exp(hn::Neg(y))));
}

// x·(1 + tanh w)/2 = x·sigmoid(2w)
HWY_INLINE F32V GeluTanh(F32V x) {
  const F32 d;
  constexpr float kTwoRootTwoOverPi = 1.5957691216057308f;
  const F32V cubic = hn::MulAdd(hn::Mul(x, x), hn::Set(d, 0.044715f * kTwoRootTwoOverPi),
                                hn::Set(d, kTwoRootTwoOverPi));
  return TimesSigmoid(x, hn::Mul(x, cubic));
}

// 1 - 2/(1 + e^2x): absolute error 2e-7.
HWY_INLINE F32V Tanh(F32V x) {
  const F32V one = hn::Set(F32(), 1.0f), two = hn::Set(F32(), 2.0f);
  return hn::Sub(one, hn::Div(two, hn::Add(one, Exp(hn::Add(x, x)))));
}

template <Activation kActivation>
HWY_INLINE F32V Activated(F32V x) {
  if constexpr (kActivation == Activation::kGelu) return Gelu(x);
  if constexpr (kActivation == Activation::kGeluTanh) return GeluTanh(x);
  if constexpr (kActivation == Activation::kRelu) return AtLeast(x, 0.0f);
  if constexpr (kActivation == Activation::kSilu) return TimesSigmoid(x, x);
  if constexpr (kActivation == Activation::kTanh) return Tanh(x);
  return x;
}

}  // namespace hone::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
