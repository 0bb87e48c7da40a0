#include "kernels/adamw/adamw.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace hone::kernels {
namespace {

constexpr AdamWFactors kFactors = {.gradient = 0.5f,
                                   .beta1 = 0.9f,
                                   .beta2 = 0.999f,
                                   .rate = 1e-3f,
                                   .root_correction = 3.0f,
                                   .epsilon = 1e-8f,
                                   .keep = 0.99f};

std::vector<float> Normal(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(n);
  for (float& x : values) x = normal(random);
  return values;
}

TEST(AdamW, FollowsTheFormulaForEveryRest) {
  for (const std::size_t n : {1, 3, 7, 8, 15, 16, 17, 31, 64, 1001}) {
    for (const bool with_gradient : {true, false}) {
      const std::vector<float> g = Normal(n, 1);
      std::vector<float> w = Normal(n, 2), m = Normal(n, 3), v = Normal(n, 4);
      for (float& x : v) x = x * x;
      const std::vector<float> w0 = w, m0 = m, v0 = v;
      StepAdamW(kFactors, with_gradient ? g.data() : nullptr, n, w.data(), m.data(), v.data());
      for (std::size_t i = 0; i < n; ++i) {
        const double grad = with_gradient ? 0.5 * g[i] : 0.0;
        const double mi = 0.9f * m0[i] + (1 - 0.9f) * grad;
        const double vi = 0.999f * v0[i] + (1 - 0.999f) * grad * grad;
        const double wi = 0.99f * w0[i] - 1e-3 * mi / (std::sqrt(vi) * 3 + 1e-8);
        EXPECT_NEAR(m[i], mi, 1e-5 * (1 + std::abs(mi)));
        EXPECT_NEAR(v[i], vi, 1e-5 * (1 + std::abs(vi)));
        EXPECT_NEAR(w[i], wi, 1e-5 * (1 + std::abs(wi)));
      }
    }
  }
}

TEST(AdamW, SumsSquaresOfLargeAndSmallValuesTogether) {
  std::vector<float> x(100001, 1e-3f);
  x[5] = 100.0f;
  // One block of 4,096 is summed in f32, in as few lanes as one.
  EXPECT_NEAR(SumOfSquares(x.data(), x.size()), 1e4 + 100000 * 1e-6, 1e-2);
}

TEST(AdamW, ScalesEveryValue) {
  std::vector<float> x = Normal(37, 5);
  const std::vector<float> before = x;
  ScaleValues(-2.0f, x.size(), x.data());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], -2.0f * before[i]);
}

}  // namespace
}  // namespace hone::kernels
