// GELU without tables, for instruction sets whose permutations are short:
//
//   x·Φ(x) = max(x, 0) - a·(1/2 - a·P(a²)/Q(a²))      a = min(|x|, kRationalLimit)
//
// since Φ(a) - 1/2 is odd. Every coefficient is positive, so nothing cancels within P and Q; in f32
// the result is within 0.35·(2e-6 + 2e-6 relative) of GELU. Beyond the limit what is left
// is 5.2·Φ(-5.2) = 5e-7. Made by weighted least squares (linearised, Lawson's iteration) against
// scipy.special.ndtr.
#pragma once

namespace hone::kernels::gelu {

inline constexpr float kRationalLimit = 5.2f;
inline constexpr float kP[5] = {3.9893982e-01f, 5.7735201e-02f, 6.0899318e-03f, 4.0838119e-04f,
                                7.5368407e-06f};
inline constexpr float kQ[6] = {1.0f,           3.1136185e-01f, 4.2194244e-02f,
                                3.2237486e-03f, 1.4865761e-04f, 6.2871533e-07f};

}  // namespace hone::kernels::gelu
