// Layer normalisation over the last axis:
//
//   y[t,i] = (x[t,i] - mean_t) / sqrt(var_t + epsilon) * gain[i] + bias[i]
//
// Shapes    x, y [T,D] f32, row r at r·stride · gain, bias [D] f32, either may be null (1 and 0)
// Aliasing  y may be x.      Scratch  none.      Threads  any split of T
// Numerics  sums in f32, two passes; the same bits for a row in any batch
// Cost      two reads and one write of T·D elements: memory-bound
// Errors    none at run time
// Source    Ba, Kiros, Hinton 2016, arXiv:1607.06450, eq. 3
#pragma once

#include <cstddef>

namespace hone::kernels {

void LayerNorm(const float* x, std::ptrdiff_t x_stride, int rows, int d, const float* gain,
               const float* bias, float epsilon, float* y, std::ptrdiff_t y_stride);

// The scalar specification, sums in double.
void LayerNormRef(const float* x, std::ptrdiff_t x_stride, int rows, int d, const float* gain,
                  const float* bias, float epsilon, float* y, std::ptrdiff_t y_stride);

}  // namespace hone::kernels
