#include "quant/int4.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"

namespace hone::quant {
namespace {

constexpr float kLevels = 15.0f;

// One group, padded with zeros (which every z represents exactly) to its full length.
struct Group {
  alignas(64) std::array<float, kInt4Group> w;
  float low, high;  // of the group and 0, which is always representable
};

struct Choice {
  int s = 1, z = 0;
  float error = 0;  // squared, in units of the weights
};

// To nearest, halves to even, for |v| < 2^22: what nearbyint does, but in two plain additions.
float Round(float v) {
  constexpr float kMagic = 12582912.0f;  // 1.5 · 2^23
  return (v + kMagic) - kMagic;
}

float QuantizeToLevel(float w, float inverse, float z) {
  // Clamped first, so that Round's range holds whatever the step is.
  return Round(std::clamp(w * inverse + z, 0.0f, kLevels));
}

float SquaredError(const Group& group, float step, int z) {
  const float inverse = 1.0f / step;
  const auto zero = static_cast<float>(z);
  std::array<float, 4> sum{};  // several sums, which the compiler keeps in one vector
  for (std::size_t i = 0; i < group.w.size(); i += sum.size()) {
    for (std::size_t j = 0; j < sum.size(); ++j) {
      const float w = group.w[i + j];
      const float error = step * (QuantizeToLevel(w, inverse, zero) - zero) - w;
      sum[j] += error * error;
    }
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

// The best of a few (s, z): steps about the one that just covers the group, and smaller, which
// clips the outermost weights but rounds the others finer; zeros that centre the range.
Choice Choose(const Group& group, float scale) {
  Choice best{1, 0, INFINITY};
  const float covering = (group.high - group.low) / kLevels / scale;
  const int first = std::clamp(static_cast<int>(std::ceil(covering)), 1, kMaxGroupScale);
  for (int s = first; s >= std::max(1, first - 2); --s) {
    const float step = static_cast<float>(s) * scale;
    const float centred = kLevels / 2 - (group.high / step + group.low / step) / 2;
    const int below = static_cast<int>(std::floor(std::clamp(centred, 0.0f, kLevels)));
    for (int z = below; z <= std::min(below + 1, 15); ++z) {
      const float error = SquaredError(group, step, z);
      if (error < best.error) best = {s, z, error};
    }
  }
  return best;
}

std::vector<Group> SplitRow(std::span<const float> row) {
  std::vector<Group> groups(static_cast<std::size_t>(Int4Groups(static_cast<int>(row.size()))));
  for (std::size_t g = 0; g < groups.size(); ++g) {
    Group& group = groups[g];
    group.w.fill(0);
    const std::size_t begin = g * kInt4Group;
    std::copy_n(row.begin() + static_cast<std::ptrdiff_t>(begin),
                std::min<std::size_t>(kInt4Group, row.size() - begin), group.w.begin());
    group.low = std::min(0.0f, *std::min_element(group.w.begin(), group.w.end()));
    group.high = std::max(0.0f, *std::max_element(group.w.begin(), group.w.end()));
  }
  return groups;
}

// The best choice of every group for the row scales tried, and that scale.
float ChooseRow(const std::vector<Group>& groups, float widest, std::vector<Choice>& choices) {
  // From a scale whose largest step just covers the widest group to one that clips it by a quarter.
  constexpr std::array<float, 5> kShrink = {1.0f, 0.94f, 0.88f, 0.82f, 0.75f};
  float best_error = INFINITY, best_scale = 0;
  std::vector<Choice> tried(groups.size());
  for (const float shrink : kShrink) {
    const float scale = widest * shrink / kMaxGroupScale;
    float error = 0;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      tried[g] = Choose(groups[g], scale);
      error += tried[g].error;
    }
    if (error < best_error || best_scale == 0) {
      best_error = error;
      best_scale = scale;
      choices.swap(tried);
    }
  }
  return best_scale;
}

}  // namespace

float QuantizeInt4Row(std::span<const float> row, std::span<std::uint8_t> nibbles,
                      std::span<std::uint8_t> group_scale, std::span<std::uint8_t> group_zero) {
  const std::vector<Group> groups = SplitRow(row);
  HONE_CHECK(nibbles.size() ==
             static_cast<std::size_t>(Int4RowBytes(static_cast<int>(row.size()))));
  HONE_CHECK(group_scale.size() == groups.size() && group_zero.size() == groups.size());
  std::fill(nibbles.begin(), nibbles.end(), std::uint8_t{0});
  std::fill(group_scale.begin(), group_scale.end(), std::uint8_t{1});
  std::fill(group_zero.begin(), group_zero.end(), std::uint8_t{0});
  float widest = 0;
  for (const Group& g : groups) widest = std::max(widest, g.high / kLevels - g.low / kLevels);
  // As in int8.cc: a row whose reciprocal scale would overflow is zero for every purpose.
  if (!(widest >= 1e-35f)) return 0;

  // Worked on in units of the widest group's step, so that no square of a tiny or huge weight is
  // lost.
  std::vector<Group> scaled = groups;
  for (Group& g : scaled) {
    for (float& w : g.w) w /= widest;
    g.low /= widest;
    g.high /= widest;
  }
  std::vector<Choice> choices(groups.size());
  const float scale = ChooseRow(scaled, 1.0f, choices);

  // With the integers fixed, the scale of least squares: Σ w·v / Σ v².
  double dot = 0, square = 0;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::size_t g = i / kInt4Group;
    const auto [s, z, error] = choices[g];
    const float q = QuantizeToLevel(scaled[g].w[i % kInt4Group],
                                    1.0f / (static_cast<float>(s) * scale), static_cast<float>(z));
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
