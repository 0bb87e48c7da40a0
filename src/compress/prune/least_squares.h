// Least squares weights near given ones.
#pragma once

#include <span>
#include <vector>

namespace hone::compress {

// argmin over W of  Σ‖W x − y‖² + λ‖W − W_0‖²  with  H = mean of x xᵀ,  C = mean of y xᵀ:
//
//   W = W_0 + (C − W_0 H)(H + λI)⁻¹       λ = ridge · mean(diag H)
//
// W_0 [rows, n] is replaced by W. H [n,n] symmetric, C [rows, n]; ridge > 0. Where H + λI is not
// positive definite in f64, W_0 stays.
void FitNear(std::span<const double> h, std::span<const double> c, int rows, int n, double ridge,
             std::vector<float>* weight);

}  // namespace hone::compress
