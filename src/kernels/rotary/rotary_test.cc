#include "kernels/rotary/rotary.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace hone::kernels {
namespace {

TEST(Rotary, MatchesTheReferenceOverHeadSizes) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const int head_size : {2, 4, 6, 32, 34, 64, 66, 128}) {
    const RotaryTable table = BuildRotaryTable(10000.0f, head_size, 40);
    const int rows = 4, heads = 3, stride = heads * head_size + 5;
    const std::int32_t positions[rows] = {39, 0, 7, 7};
    std::vector<float> x(static_cast<std::size_t>(rows * stride));
    for (float& v : x) v = normal(random);
    auto expected = x, got = x;
    ApplyRotaryRef(table, positions, rows, heads, expected.data(), stride);
    ApplyRotary(table, positions, rows, heads, got.data(), stride);
    for (std::size_t i = 0; i < x.size(); ++i) {
      // Two products and a sum of values of a few units.
      ASSERT_NEAR(got[i], expected[i], 16 * std::numeric_limits<float>::epsilon())
          << "head size " << head_size << " at " << i;
      const auto column = static_cast<int>(i) % stride;
      if (column >= heads * head_size) {
        ASSERT_EQ(got[i], x[i]);
      }
    }
  }
}

TEST(Rotary, TurnsPairsByThePositionTimesTheirFrequency) {
  const RotaryTable table = BuildRotaryTable(100.0f, 4, 10);
  const std::int32_t position = 3;
  float x[4] = {1, 1, 0, 0};
  ApplyRotary(table, &position, 1, 1, x, 4);
  // Frequencies 100^0 and 100^(-1/2).
  EXPECT_NEAR(x[0], std::cos(3.0), 1e-6);
  EXPECT_NEAR(x[2], std::sin(3.0), 1e-6);
  EXPECT_NEAR(x[1], std::cos(0.3), 1e-6);
  EXPECT_NEAR(x[3], std::sin(0.3), 1e-6);
}

TEST(Rotary, LeavesDotProductsToDependOnDistanceAlone) {
  const RotaryTable table = BuildRotaryTable(10000.0f, 32, 64);
  const auto dot = [&](std::int32_t s, std::int32_t t) {
    float q[32], k[32];
    for (int i = 0; i < 32; ++i) {
      q[i] = std::sin(static_cast<float>(i));
      k[i] = std::cos(static_cast<float>(2 * i));
    }
    ApplyRotary(table, &s, 1, 1, q, 32);
    ApplyRotary(table, &t, 1, 1, k, 32);
    double sum = 0;
    for (int i = 0; i < 32; ++i) sum += static_cast<double>(q[i]) * k[i];
    return sum;
  };
  EXPECT_NEAR(dot(5, 2), dot(55, 52), 1e-5);
  EXPECT_GT(std::abs(dot(5, 2) - dot(5, 3)), 1e-3);
}

}  // namespace
}  // namespace hone::kernels
