// How far rows are from others, measured by the others' own size, and the gradient of that:
//
//   distance = Σ_r mean_i((x[r,i] - y[r,i])²) / (mean_i(y[r,i]²) + ε)      gradient = ∂distance/∂x
//
// Shapes    x, y, gradient [T,D] f32, contiguous
// Aliasing  gradient may be x.      Scratch  none.      Threads  any split of T
// Numerics  rows in f32, their sum in f64
// Cost      two reads and one write of T·D elements: memory-bound
#pragma once

namespace hone::kernels {

double RelativeDistance(const float* x, const float* y, int rows, int d, float epsilon,
                        float* gradient);

}  // namespace hone::kernels
