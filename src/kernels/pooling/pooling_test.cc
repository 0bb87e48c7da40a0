#include "kernels/pooling/pooling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace hone::kernels {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Pooling, MatchesTheReferencesOverShapes) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const int rows : {1, 2, 3, 100}) {
    for (const int d : {1, 2, 3, 15, 16, 17, 63, 65, 384}) {
      const int stride = d + 3;
      std::vector<float> x(static_cast<std::size_t>(rows * stride));
      for (float& v : x) v = normal(random);
      const auto size = static_cast<std::size_t>(d);
      std::vector<float> got(size), expected(size);
      MaxRows(x.data(), stride, rows, d, got.data());
      MaxRowsRef(x.data(), stride, rows, d, expected.data());
      ASSERT_EQ(got, expected);
      MeanRows(x.data(), stride, rows, d, got.data());
      MeanRowsRef(x.data(), stride, rows, d, expected.data());
      const double epsilon = std::numeric_limits<float>::epsilon();
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_NEAR(got[i], expected[i], epsilon * (4 + std::sqrt(rows)));
      }
      got = expected;
      L2Normalize(got.data(), d);
      L2NormalizeRef(expected.data(), d);
      for (std::size_t i = 0; i < size; ++i) {
        ASSERT_NEAR(got[i], expected[i], epsilon * (4 + std::sqrt(d))) << rows << " x " << d;
      }
    }
  }
}

TEST(Pooling, KeepsNanInItsColumn) {
  for (const int bad : {0, 1, 2}) {
    float x[3][20] = {};
    x[bad][18] = kNan;
    float mean[20], max[20];
    MeanRows(x[0], 20, 3, 20, mean);
    MaxRows(x[0], 20, 3, 20, max);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(std::isnan(mean[i]), i == 18);
      EXPECT_EQ(std::isnan(max[i]), i == 18) << "row " << bad;
    }
  }
}

TEST(L2Normalize, LeavesZerosZero) {
  float x[19] = {};
  L2Normalize(x, 19);
  for (const float v : x) EXPECT_EQ(v, 0.0f);
}

}  // namespace
}  // namespace hone::kernels
