#include <algorithm>
#include <cmath>

#include "kernels/pooling/pooling.h"

namespace hone::kernels {

void MeanRowsRef(const float* x, std::ptrdiff_t stride, int rows, int d, float* out) {
  for (int i = 0; i < d; ++i) {
    double sum = 0;
    for (int t = 0; t < rows; ++t) sum += x[t * stride + i];
    out[i] = static_cast<float>(sum / rows);
  }
}

void MaxRowsRef(const float* x, std::ptrdiff_t stride, int rows, int d, float* out) {
  for (int i = 0; i < d; ++i) {
    out[i] = x[i];
    for (int t = 1; t < rows; ++t) {
      const float v = x[t * stride + i];
      if (v > out[i] || std::isnan(v)) out[i] = v;
    }
  }
}

void L2NormalizeRef(float* x, int d) {
  double sum = 0;
  for (int i = 0; i < d; ++i) sum += static_cast<double>(x[i]) * x[i];
  const double norm = std::max(std::sqrt(sum), 1e-12);
  for (int i = 0; i < d; ++i) x[i] = static_cast<float>(x[i] / norm);
}

}  // namespace hone::kernels
