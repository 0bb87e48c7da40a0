#include "kernels/distance/distance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace hone::kernels {
namespace {

TEST(RelativeDistance, FollowsTheFormulaForEveryRest) {
  for (const int d : {1, 7, 16, 33, 384}) {
    const int rows = 3;
    std::vector<float> x(static_cast<std::size_t>(rows * d)), y(x.size()), gradient(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      x[i] = std::sin(static_cast<float>(i) * 0.7f);
      y[i] = 3 * std::cos(static_cast<float>(i) * 0.3f);
    }
    double expected = 0;
    std::vector<double> slope(x.size());
    for (int r = 0; r < rows; ++r) {
      const float *row = x.data() + r * d, *target = y.data() + r * d;
      double apart = 0, size = 0;
      for (int i = 0; i < d; ++i) {
        apart += (double{row[i]} - target[i]) * (double{row[i]} - target[i]) / d;
        size += double{target[i]} * target[i] / d;
      }
      expected += apart / (size + 0.5);
      for (int i = 0; i < d; ++i) {
        slope.data()[r * d + i] = 2 * (double{row[i]} - target[i]) / d / (size + 0.5);
      }
    }
    const double is = RelativeDistance(x.data(), y.data(), rows, d, 0.5f, gradient.data());
    EXPECT_NEAR(is, expected, 1e-5 * expected);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(gradient[i], slope[i], 1e-5);
    // In place.
    RelativeDistance(x.data(), y.data(), rows, d, 0.5f, x.data());
    EXPECT_EQ(x, gradient);
  }
}

}  // namespace
}  // namespace hone::kernels
