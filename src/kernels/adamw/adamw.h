// AdamW's update of one tensor, and what clipping needs:
//
//   g' = gradient · g      m = β₁·m + (1-β₁)·g'      v = β₂·v + (1-β₂)·g'²
//   w = keep·w - rate · m / (√v · root_correction + ε)
//
// Shapes    all [n] f32, w, m and v in place
// Threads   any split of n
// Numerics  sums of squares in f64 over blocks of f32
// Source    Loshchilov, Hutter 2019, arXiv:1711.05101, with the decay decoupled from the gradient
#pragma once

#include <cstddef>

namespace hone::kernels {

struct AdamWFactors {
  float gradient;  // scale · min(1, clip / norm)
  float beta1, beta2;
  float rate;             // lr / (1 - β₁ᵗ)
  float root_correction;  // 1 / √(1 - β₂ᵗ)
  float epsilon;
  float keep;  // 1 - lr · decay
};

void StepAdamW(const AdamWFactors& factors, const float* gradient, std::size_t n, float* w,
               float* m, float* v);

// So many steps without a gradient, one after the other; a first moment below 1e-16 becomes 0. The
// bits are the same however the steps are split over calls.
void IdleAdamW(const AdamWFactors* factors, std::size_t steps, std::size_t n, float* w, float* m,
               float* v);

double SumOfSquares(const float* x, std::size_t n);

}  // namespace hone::kernels
