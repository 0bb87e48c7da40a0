// Activations over arrays (what each computes, and how exactly: kernels/activation.h).
//
// Shapes    x [n] f32 · gated: x [T,2F] f32, row r at r·x_stride → out [T,F], row r at r·out_stride
// Aliasing  Activate is in place; of Gate, out may be x.   Scratch  none.   Threads  any split
// Numerics  an element's result depends on it alone
// Errors    none at run time
// Source    gates: Shazeer 2020, arXiv:2002.05202 (GeGLU)
#pragma once

#include <cstddef>

#include "kernels/activation.h"

namespace hone::kernels {

// x[i] = activation(x[i])
void Activate(Activation activation, float* x, std::size_t n);

// out[r,i] = activation(x[r,i]) · x[r,F+i]
void Gate(Activation activation, const float* x, std::ptrdiff_t x_stride, int rows, int f,
          float* out, std::ptrdiff_t out_stride);

}  // namespace hone::kernels
