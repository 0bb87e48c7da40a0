// The inner loops of AdamW (train/adamw.h), vectorised for every instruction set.
#pragma once

#include <cstddef>

namespace hone::train {

struct AdamWFactors {
  float gradient;  // scale · min(1, clip / norm)
  float beta1, beta2;
  float rate;             // lr / (1 - β₁ᵗ)
  float root_correction;  // 1 / √(1 - β₂ᵗ)
  float epsilon;
  float keep;  // 1 - lr · decay
};

// w, m, v [n] in place; gradient null: all zeros.
void StepAdamW(const AdamWFactors& factors, const float* gradient, std::size_t n, float* w,
               float* m, float* v);

// w ·= factor
void ScaleValues(float factor, std::size_t n, float* w);

double SumOfSquares(const float* x, std::size_t n);

}  // namespace hone::train
