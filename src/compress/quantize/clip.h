// Rounding to nearest with ranges that are clipped where that lowers the error of the layer's
// outputs on calibration data, after AWQ's search for clipping (Lin et al. 2023, arXiv:2306.00978,
// section 3.2 and its code's auto_clip, described there).
//
//   int4  s and z of a group by δᵀ H_gg δ, δ = w - q, H_gg the group's block of H = Σ x·xᵀ: exactly
//         what the group adds to the squared error of the row's output
//   int8  the scale of a row, of a few from max|w| / 127 down, by Σ H_jj δ_j²
#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::compress {

// weights [n,k] row-major, hessian [k,k]. The same bits for any number of threads.
quant::Int4Matrix ClippedInt4(std::span<const float> weights, int n, int k,
                              std::span<const double> hessian, base::ThreadPool& pool);
quant::Int8Matrix ClippedInt8(std::span<const float> weights, int n, int k,
                              std::span<const double> hessian, base::ThreadPool& pool);

// Σ‖(W - V)x‖² / Σ‖Wx‖² over the calibration inputs that H sums up.
double OutputError(std::span<const float> weights, std::span<const float> rounded, int n, int k,
                   std::span<const double> hessian);

// The matrices in f32.
std::vector<float> Dequantized(const quant::Int8Matrix& matrix);
std::vector<float> Dequantized(const quant::Int4Matrix& matrix);

}  // namespace hone::compress
