// int8 weights: symmetric, one scale an output channel.
//
//   w[n,k] ≈ scale[n] · q[n,k]      q in -127 … 127,  scale[n] = max_k |w[n,k]| / 127
//
// A row of zeros has scale 0 and q 0. Rounding is to nearest, halves to even.
// Convention on disk  compressed-tensors "int-quantized": weight I8 [N,K], weight_scale F32 [N,1].
// Source              Jacob et al. 2018, arXiv:1712.05877, restricted to symmetric ranges.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::quant {

// Owns the quantised matrix [n,k], row-major.
struct Int8Matrix {
  int n = 0, k = 0;
  std::vector<std::int8_t> values;  // [n,k]
  std::vector<float> scale;         // [n]
};

// Quantises one row and returns its scale. q.size() == row.size(). Values must be finite.
float QuantizeInt8Row(std::span<const float> row, std::span<std::int8_t> q);

// weights is [n,k] row-major.
Int8Matrix QuantizeInt8(std::span<const float> weights, int n, int k);

// out[k] = scale · q[k]
void DequantizeInt8Row(std::span<const std::int8_t> q, float scale, std::span<float> out);

}  // namespace hone::quant
