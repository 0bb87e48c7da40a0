#include "quant/int4.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "quant/int4_search.h"

namespace hone::quant {
namespace {

float SquaredError(const Int4Group& group, float step, int z) {
  const float inverse = 1.0f / step;
  const auto zero = static_cast<float>(z);
  std::array<float, 4> sum{};  // several sums, which the compiler keeps in one vector
  for (std::size_t i = 0; i < group.w.size(); i += sum.size()) {
    for (std::size_t j = 0; j < sum.size(); ++j) {
      const float w = group.w[i + j];
      const float error = step * (Int4Level(w, inverse, zero) - zero) - w;
      sum[j] += error * error;
    }
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

}  // namespace

float SplitInt4Row(std::span<const float> row, std::vector<Int4Group>* groups) {
  groups->resize(static_cast<std::size_t>(Int4Groups(static_cast<int>(row.size()))));
  float widest = 0;
  for (std::size_t g = 0; g < groups->size(); ++g) {
    const std::size_t begin = g * kInt4Group;
    Int4Group& group = (*groups)[g];
    SetInt4Group(row.subspan(begin, std::min<std::size_t>(kInt4Group, row.size() - begin)), &group);
    widest = std::max(widest, group.high / kInt4Levels - group.low / kInt4Levels);
  }
  if (!(widest >= 1e-35f)) return 0;
  for (Int4Group& group : *groups) {
    for (float& w : group.w) w /= widest;
    group.low /= widest;
    group.high /= widest;
  }
  return widest;
}

float QuantizeInt4Row(std::span<const float> row, std::span<std::uint8_t> nibbles,
                      std::span<std::uint8_t> group_scale, std::span<std::uint8_t> group_zero) {
  std::vector<Int4Group> groups;
  const float widest = SplitInt4Row(row, &groups);
  HONE_CHECK(nibbles.size() ==
             static_cast<std::size_t>(Int4RowBytes(static_cast<int>(row.size()))));
  HONE_CHECK(group_scale.size() == groups.size() && group_zero.size() == groups.size());
  std::fill(nibbles.begin(), nibbles.end(), std::uint8_t{0});
  std::fill(group_scale.begin(), group_scale.end(), std::uint8_t{1});
  std::fill(group_zero.begin(), group_zero.end(), std::uint8_t{0});
  if (widest == 0) return 0;
  std::vector<Int4Choice> choices;
  const float scale = ChooseInt4Row(
      groups, [&](std::size_t g, float step, int z) { return SquaredError(groups[g], step, z); },
      &choices);

  // With the integers fixed, the scale of least squares: Σ w·v / Σ v².
  double dot = 0, square = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::size_t g = i / kInt4Group;
    const auto [s, z, error] = choices[g];
    const float q = Int4Level(groups[g].w[i % kInt4Group], 1.0f / (static_cast<float>(s) * scale),
                              static_cast<float>(z));
    const auto level = static_cast<unsigned>(q);
    nibbles[i / 2] = static_cast<std::uint8_t>(nibbles[i / 2] | level << (i % 2 * 4));
    const double v = s * (static_cast<int>(level) - z);
    dot += static_cast<double>(row[i]) * v;
    square += v * v;
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    group_scale[g] = static_cast<std::uint8_t>(choices[g].s);
    group_zero[g] = static_cast<std::uint8_t>(choices[g].z);
  }
  return square > 0 ? static_cast<float>(dot / square) : 0;
}

Int4Matrix QuantizeInt4(std::span<const float> weights, int n, int k) {
  const auto width = static_cast<std::size_t>(k);
  const auto rows = static_cast<std::size_t>(n);
  const auto bytes = static_cast<std::size_t>(Int4RowBytes(k));
  const auto groups = static_cast<std::size_t>(Int4Groups(k));
  HONE_CHECK(weights.size() == rows * width);
  Int4Matrix matrix;
  matrix.n = n;
  matrix.k = k;
  matrix.nibbles.resize(rows * bytes);
  matrix.group_scale.resize(rows * groups);
  matrix.group_zero.resize(rows * groups);
  matrix.scale.reserve(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    matrix.scale.push_back(QuantizeInt4Row(
        weights.subspan(row * width, width), std::span(matrix.nibbles).subspan(row * bytes, bytes),
        std::span(matrix.group_scale).subspan(row * groups, groups),
        std::span(matrix.group_zero).subspan(row * groups, groups)));
  }
  return matrix;
}

void ExpandInt4Row(std::span<const std::uint8_t> nibbles, std::span<const std::uint8_t> group_scale,
                   std::span<const std::uint8_t> group_zero, std::span<std::int8_t> out) {
  const int k = static_cast<int>(out.size());
  HONE_CHECK(nibbles.size() == static_cast<std::size_t>(Int4RowBytes(k)));
  HONE_CHECK(group_scale.size() == static_cast<std::size_t>(Int4Groups(k)));
  HONE_CHECK(group_zero.size() == group_scale.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int q = nibbles[i / 2] >> (i % 2 * 4) & 15;
    const std::size_t g = i / kInt4Group;
    out[i] = static_cast<std::int8_t>(group_scale[g] * (q - group_zero[g]));
  }
}

}  // namespace hone::quant
