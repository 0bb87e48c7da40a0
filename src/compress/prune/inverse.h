// The inverse of a Hessian in f64, with what makes it one: dead inputs and damping.
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"

namespace hone::compress {

struct DampedInverse {
  std::vector<double> m;            // [n,n], symmetric
  std::vector<double> factor;       // [n,n] L, lower, of H as it was inverted: H = L Lᵀ
  std::vector<unsigned char> dead;  // [n] inputs that are always 0: H_ii = 1 stands for them
  double damping = 0;               // what was added to the diagonal
  int n = 0;

  // Σ_r w_r H w_rᵀ = ‖W L‖² of W [rows, n], dead columns as 0.
  double Energy(std::span<const float> weight, int rows, base::ThreadPool& pool) const;
};

// (H + damping·mean(diag H)·I)⁻¹ by Cholesky; ten times the damping (or 0.01, from 0) where that is
// not positive definite. Errors: values that are not finite.
base::StatusOr<DampedInverse> InvertHessian(std::span<const double> hessian, int n, double damping,
                                            base::ThreadPool& pool);

}  // namespace hone::compress
