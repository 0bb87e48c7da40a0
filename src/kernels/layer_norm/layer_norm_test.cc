#include "kernels/layer_norm/layer_norm.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace hone::kernels {
namespace {

constexpr float kEpsilon = 1e-12f;

std::vector<float> Draw(int n, float mean, float deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> x(static_cast<std::size_t>(n));
  for (float& v : x) v = normal(random);
  return x;
}

// The mean of n values carries an error of a few roundings of its size, which the division by the
// deviation magnifies; a sum of n terms in eight or more chains adds √n roundings at most.
double Tolerance(int d, double mean, double deviation, double gain) {
  const double epsilon = std::numeric_limits<float>::epsilon();
  return epsilon * (8 + std::sqrt(d)) * (gain + 1) * (4 + std::abs(mean) / deviation);
}

TEST(LayerNorm, MatchesTheReferenceForEveryWidth) {
  for (const int d : {1, 2, 3, 7, 15, 16, 17, 31, 33, 63, 64, 65, 127, 384, 768, 1023}) {
    for (const float mean : {0.0f, 5.0f}) {
      const int rows = 6, stride = d + 5;  // a group of four, and two alone
      const auto x = Draw(rows * stride, mean, 2, static_cast<unsigned>(d));
      const auto gain = Draw(d, 1, 0.5f, 7), bias = Draw(d, 0, 1, 8);
      for (const bool affine : {false, true}) {
        std::vector<float> y(x.size(), -1), expected = y;
        const float* g = affine ? gain.data() : nullptr;
        const float* b = affine ? bias.data() : nullptr;
        LayerNorm(x.data(), stride, rows, d, g, b, kEpsilon, y.data(), stride);
        LayerNormRef(x.data(), stride, rows, d, g, b, kEpsilon, expected.data(), stride);
        if (d == 1) continue;  // variance 0: the quotient is rounding noise over epsilon
        for (std::size_t i = 0; i < y.size(); ++i) {
          ASSERT_NEAR(y[i], expected[i], Tolerance(d, mean, d < 8 ? 0.2 : 2, affine ? 3 : 1))
              << "D " << d << " at " << i;
        }
      }
    }
  }
}

TEST(LayerNorm, WritesInPlaceAndNothingPastARow) {
  const int d = 37, rows = 4, stride = 50;
  const auto x = Draw(rows * stride, 0, 1, 1);
  auto in_place = x;
  std::vector<float> apart(x.size());
  LayerNorm(x.data(), stride, rows, d, nullptr, nullptr, kEpsilon, apart.data(), stride);
  LayerNorm(in_place.data(), stride, rows, d, nullptr, nullptr, kEpsilon, in_place.data(), stride);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool inside = i % stride < static_cast<std::size_t>(d);
    ASSERT_EQ(in_place[i], inside ? apart[i] : x[i]) << i;
  }
}

TEST(LayerNorm, GivesARowTheSameBitsInAnyBatch) {
  const int d = 100, rows = 9;
  const auto x = Draw(rows * d, 0, 1, 2);
  std::vector<float> all(x.size()), one(static_cast<std::size_t>(d));
  LayerNorm(x.data(), d, rows, d, nullptr, nullptr, kEpsilon, all.data(), d);
  for (int r = 0; r < rows; ++r) {
    LayerNorm(x.data() + r * d, d, 1, d, nullptr, nullptr, kEpsilon, one.data(), d);
    for (int i = 0; i < d; ++i) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(one[static_cast<std::size_t>(i)]),
                std::bit_cast<std::uint32_t>(all.data()[r * d + i]))
          << r << " " << i;
    }
  }
}

TEST(LayerNorm, KeepsNanAndInfinityWithinTheirRow) {
  const int d = 40;
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    auto x = Draw(3 * d, 0, 1, 3);
    x[d + 39] = bad;
    LayerNorm(x.data(), d, 3, d, nullptr, nullptr, kEpsilon, x.data(), d);
    for (int i = 0; i < 3 * d; ++i) {
      ASSERT_EQ(std::isnan(x[static_cast<std::size_t>(i)]), i / d == 1) << i;
    }
  }
}

}  // namespace
}  // namespace hone::kernels
