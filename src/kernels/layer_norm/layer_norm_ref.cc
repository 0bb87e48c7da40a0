#include <cmath>

#include "kernels/layer_norm/layer_norm.h"

namespace hone::kernels {

void LayerNormRef(const float* x, std::ptrdiff_t x_stride, int rows, int d, const float* gain,
                  const float* bias, float epsilon, float* y, std::ptrdiff_t y_stride) {
  for (int t = 0; t < rows; ++t, x += x_stride, y += y_stride) {
    double mean = 0, variance = 0;
    for (int i = 0; i < d; ++i) mean += x[i];
    mean /= d;
    for (int i = 0; i < d; ++i) variance += (x[i] - mean) * (x[i] - mean);
    const double scale = 1 / std::sqrt(variance / d + epsilon);
    for (int i = 0; i < d; ++i) {
      const double normal = (x[i] - mean) * scale;
      y[i] = static_cast<float>(normal * (gain == nullptr ? 1.0f : gain[i]) +
                                (bias == nullptr ? 0.0f : bias[i]));
    }
  }
}

}  // namespace hone::kernels
