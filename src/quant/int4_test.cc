#include "quant/int4.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>

namespace hone::quant {
namespace {

std::vector<double> Decode(const Int4Matrix& m) {
  std::vector<double> out;
  std::vector<std::int8_t> row(static_cast<std::size_t>(m.k));
  const auto bytes = static_cast<std::size_t>(Int4RowBytes(m.k));
  const auto groups = static_cast<std::size_t>(Int4Groups(m.k));
  for (std::size_t n = 0; n < m.scale.size(); ++n) {
    ExpandInt4Row(std::span(m.nibbles).subspan(n * bytes, bytes),
                  std::span(m.group_scale).subspan(n * groups, groups),
                  std::span(m.group_zero).subspan(n * groups, groups), row);
    for (const std::int8_t v : row) out.push_back(static_cast<double>(m.scale[n]) * v);
  }
  return out;
}

double RmsError(const std::vector<float>& w, const std::vector<double>& decoded) {
  double sum = 0;
  for (std::size_t i = 0; i < w.size(); ++i) sum += (w[i] - decoded[i]) * (w[i] - decoded[i]);
  return std::sqrt(sum / static_cast<double>(w.size()));
}

// Plain asymmetric groups: an f32 scale and an integer zero for each, from the extremes alone.
std::vector<double> PlainGroups(const std::vector<float>& w) {
  std::vector<double> out;
  for (std::size_t begin = 0; begin < w.size(); begin += kInt4Group) {
    const auto first = w.begin() + static_cast<std::ptrdiff_t>(begin);
    const double low = std::min(0.0f, *std::min_element(first, first + kInt4Group));
    const double high = std::max(0.0f, *std::max_element(first, first + kInt4Group));
    const double step = (high - low) / 15, zero = std::nearbyint(-low / step);
    for (int i = 0; i < kInt4Group; ++i) {
      out.push_back(step * (std::clamp(std::nearbyint(first[i] / step) + zero, 0.0, 15.0) - zero));
    }
  }
  return out;
}

TEST(Int4, ErrsNoMoreThanPlainGroupsWithFloatScales) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.04f);
  std::vector<float> w(64 * 384);
  for (float& v : w) v = normal(random);
  const double two_level = RmsError(w, Decode(QuantizeInt4(w, 64, 384)));
  const double plain = RmsError(w, PlainGroups(w));
  RecordProperty("two_level_over_plain", std::to_string(two_level / plain));
  EXPECT_LT(two_level, 1.0 * plain);
}

TEST(Int4, KeepsEveryFieldInItsRange) {
  std::mt19937 random(2);
  for (const int k : {1, 2, 17, 31, 32, 33, 63, 64, 65, 100}) {
    std::vector<float> w(static_cast<std::size_t>(8 * k));
    for (float& v : w)
      v = std::exp(std::normal_distribution<float>(0, 4)(random)) * (random() % 2 ? 1 : -1);
    const Int4Matrix m = QuantizeInt4(w, 8, k);
    for (const auto s : m.group_scale) EXPECT_TRUE(s >= 1 && s <= kMaxGroupScale);
    for (const auto z : m.group_zero) EXPECT_LE(z, 15);
    for (const double v : Decode(m)) EXPECT_TRUE(std::isfinite(v));
  }
}

TEST(Int4, KeepsAZeroRowZero) {
  const Int4Matrix m = QuantizeInt4(std::vector<float>(70, 0.0f), 1, 70);
  EXPECT_EQ(m.scale[0], 0);
  for (const double v : Decode(m)) EXPECT_EQ(v, 0);
}

TEST(Int4, KeepsConstantRowsToAPercent) {
  for (const float value : {0.7f, -0.7f, 3e38f, -1e-30f}) {
    const std::vector<float> w(96, value);
    for (const double v : Decode(QuantizeInt4(w, 1, 96))) EXPECT_NEAR(v / value, 1, 0.01);
  }
}

TEST(Int4, OneHugeOutlierCostsItsOwnGroupAlone) {
  std::vector<float> w(128);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(i % 16) - 8;
  const double before = RmsError(w, Decode(QuantizeInt4(w, 1, 128)));
  w[5] = 60;
  const auto decoded = Decode(QuantizeInt4(w, 1, 128));
  EXPECT_NEAR(decoded[5], 60, 6);
  for (std::size_t i = 32; i < w.size(); ++i) EXPECT_NEAR(decoded[i], w[i], 1.1) << i;
  EXPECT_LT(before, 0.3);
}

TEST(Int4, RepresentsSixteenEvenLevelsExactly) {
  std::vector<float> w(64);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = 0.5f * (static_cast<float>(i % 16) - 6);
  EXPECT_LT(RmsError(w, Decode(QuantizeInt4(w, 1, 64))), 1e-6);
}

}  // namespace
}  // namespace hone::quant
