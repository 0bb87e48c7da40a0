// GPTQ: rounds the weights of a layer one input at a time, and moves the inputs that are still in
// float so that they make up for each rounding. With H = Σ x·xᵀ over calibration inputs, U the upper
// triangular factor of the inverse, H⁻¹ = UᵀU, and for each row w of the matrix, j = 0, 1, …:
//
//   q_j = round(w_j)      w_k ← w_k - (w_j - q_j) / U_jj · U_jk      for every k > j
//
// which lowers (w - q)ᵀ H (w - q), the squared error of the row's outputs.
//
// int4's scale of a row is searched before the first input, the s and z of a group from the weights
// as they stand when its first input's turn comes; both measure a weight's error by 1 / U_jj², its
// cost after the later inputs have made up for it. At the end, with the integers fixed, the scale of
// the row is that of least squares under H: a = vᵀHw / vᵀHv.
//
// Inputs that never occur (H_jj = 0) have their weights set to 0.
// Numerics  factors in f64, updates in f32. The same bits for any number of threads.
// Cost      N·K² multiply-adds and a half, of them K²·N for the last scale; the factor 2·K³/3.
// Source    Frantar et al. 2022, arXiv:2210.17323, algorithm 1, lazy blocks of 128 (section 3.3).
#pragma once

#include <span>
#include <vector>

#include "base/status.h"
#include "base/thread_pool.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::compress {

// What all rows of a matrix share.
struct GptqFactor {
  int k = 0;
  std::vector<float> upper;       // U [K,K], row-major; 0 below the diagonal
  std::vector<float> importance;  // 1 / U_jj², the largest of them 1
  std::vector<float> hessian;     // H [K,K] without damping
  std::vector<bool> dead;         // inputs that never occur
};

// `hessian` [K,K] symmetric, row-major. `damping` times the mean of the diagonal is added to it.
// Errors  a value that is not finite, no input that ever occurs.
base::StatusOr<GptqFactor> FactorHessian(std::span<const double> hessian, int k,
                                         double damping = 0.01);

// weights [n, factor.k] row-major.
quant::Int4Matrix GptqInt4(std::span<const float> weights, int n, const GptqFactor& factor,
                           base::ThreadPool& pool);
quant::Int8Matrix GptqInt8(std::span<const float> weights, int n, const GptqFactor& factor,
                           base::ThreadPool& pool);

}  // namespace hone::compress
