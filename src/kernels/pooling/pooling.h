// From token vectors to one vector of a text.
//
//   MeanRows      out[i] = Σ_t x[t,i] / T
//   MaxRows       out[i] = max_t x[t,i]
//   L2Normalize   x[i] ← x[i] / max(√Σ x², 1e-12)     the guard of sentence-transformers
//
// Shapes    x [T,D] f32, T ≥ 1, row r at r·stride · out [D] f32, apart from x
// Numerics  sums in f32, rows in order; the norm's sum of squares in f32
// Scratch   none.      Threads  one
// Errors    none at run time
#pragma once

#include <cstddef>

namespace hone::kernels {

void MeanRows(const float* x, std::ptrdiff_t stride, int rows, int d, float* out);
void MaxRows(const float* x, std::ptrdiff_t stride, int rows, int d, float* out);
void L2Normalize(float* x, int d);

// The scalar specifications, sums in double.
void MeanRowsRef(const float* x, std::ptrdiff_t stride, int rows, int d, float* out);
void MaxRowsRef(const float* x, std::ptrdiff_t stride, int rows, int d, float* out);
void L2NormalizeRef(float* x, int d);

}  // namespace hone::kernels
