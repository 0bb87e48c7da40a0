#include "kernels/rotary/rotary.h"

#include <cmath>

#include "base/check.h"

namespace hone::kernels {

RotaryTable BuildRotaryTable(float theta, int head_size, int max_tokens) {
  HONE_CHECK(head_size > 0 && head_size % 2 == 0 && max_tokens >= 0);
  RotaryTable table{head_size, max_tokens, {}, {}};
  const int half = head_size / 2;
  const std::size_t size = static_cast<std::size_t>(max_tokens) * static_cast<std::size_t>(half);
  table.cos.reserve(size);
  table.sin.reserve(size);
  for (int t = 0; t < max_tokens; ++t) {
    for (int i = 0; i < half; ++i) {
      const double angle = t * std::pow(static_cast<double>(theta), -2.0 * i / head_size);
      table.cos.push_back(static_cast<float>(std::cos(angle)));
      table.sin.push_back(static_cast<float>(std::sin(angle)));
    }
  }
  return table;
}

void ApplyRotaryRef(const RotaryTable& table, const std::int32_t* positions, int rows, int heads,
                    float* x, std::ptrdiff_t stride) {
  const int half = table.head_size / 2;
  for (int t = 0; t < rows; ++t) {
    const std::size_t at = static_cast<std::size_t>(positions[t]) * static_cast<std::size_t>(half);
    for (int h = 0; h < heads; ++h) {
      float* head = x + t * stride + h * table.head_size;
      for (int i = 0; i < half; ++i) {
        const double c = table.cos[at + static_cast<std::size_t>(i)];
        const double s = table.sin[at + static_cast<std::size_t>(i)];
        const double a = head[i], b = head[i + half];
        head[i] = static_cast<float>(a * c - b * s);
        head[i + half] = static_cast<float>(b * c + a * s);
      }
    }
  }
}

}  // namespace hone::kernels
