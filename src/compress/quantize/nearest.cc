#include "compress/quantize/nearest.h"

#include <cstdint>
#include <vector>

namespace hone::compress {

quant::Int8Matrix NearestInt8(std::span<const float> weights, int n, int k,
                              base::ThreadPool& pool) {
  const auto width = static_cast<std::size_t>(k);
  quant::Int8Matrix matrix{n, k, std::vector<std::int8_t>(weights.size()),
                           std::vector<float>(static_cast<std::size_t>(n))};
  pool.ParallelFor(n, [&](int row, int) {
    const auto r = static_cast<std::size_t>(row);
    matrix.scale[r] = quant::QuantizeInt8Row(weights.subspan(r * width, width),
                                             std::span(matrix.values).subspan(r * width, width));
  });
  return matrix;
}

quant::Int4Matrix NearestInt4(std::span<const float> weights, int n, int k,
                              base::ThreadPool& pool) {
  const auto rows = static_cast<std::size_t>(n), width = static_cast<std::size_t>(k);
  const auto bytes = static_cast<std::size_t>(quant::Int4RowBytes(k));
  const auto groups = static_cast<std::size_t>(quant::Int4Groups(k));
  quant::Int4Matrix matrix;
  matrix.n = n;
  matrix.k = k;
  matrix.nibbles.resize(rows * bytes);
  matrix.group_scale.resize(rows * groups);
  matrix.group_zero.resize(rows * groups);
  matrix.scale.resize(rows);
  pool.ParallelFor(n, [&](int row, int) {
    const auto r = static_cast<std::size_t>(row);
    matrix.scale[r] = quant::QuantizeInt4Row(
        weights.subspan(r * width, width), std::span(matrix.nibbles).subspan(r * bytes, bytes),
        std::span(matrix.group_scale).subspan(r * groups, groups),
        std::span(matrix.group_zero).subspan(r * groups, groups));
  });
  return matrix;
}

}  // namespace hone::compress
