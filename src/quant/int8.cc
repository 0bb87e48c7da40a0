#include "quant/int8.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace hone::quant {

float QuantizeInt8Row(std::span<const float> row, std::span<std::int8_t> q) {
  HONE_CHECK(row.size() == q.size());
  float largest = 0;
  for (const float w : row) largest = std::max(largest, std::abs(w));
  const float scale = largest / 127.0f;
  // A subnormal largest value would overflow the reciprocal: such a row is zero for every purpose.
  if (!(scale >= 1e-37f)) {
    std::fill(q.begin(), q.end(), std::int8_t{0});
    return 0;
  }
  const float inverse = 1.0f / scale;
  for (std::size_t i = 0; i < row.size(); ++i) {
    q[i] = static_cast<std::int8_t>(std::clamp(std::nearbyint(row[i] * inverse), -127.0f, 127.0f));
  }
  return scale;
}

Int8Matrix QuantizeInt8(std::span<const float> weights, int n, int k) {
  const auto width = static_cast<std::size_t>(k);
  HONE_CHECK(weights.size() == static_cast<std::size_t>(n) * width);
  Int8Matrix matrix{n, k, std::vector<std::int8_t>(weights.size()), {}};
  matrix.scale.reserve(static_cast<std::size_t>(n));
  for (std::size_t row = 0; row < static_cast<std::size_t>(n); ++row) {
    matrix.scale.push_back(QuantizeInt8Row(weights.subspan(row * width, width),
                                           std::span(matrix.values).subspan(row * width, width)));
  }
  return matrix;
}

void DequantizeInt8Row(std::span<const std::int8_t> q, float scale, std::span<float> out) {
  HONE_CHECK(q.size() == out.size());
  for (std::size_t i = 0; i < q.size(); ++i) out[i] = scale * static_cast<float>(q[i]);
}

}  // namespace hone::quant
