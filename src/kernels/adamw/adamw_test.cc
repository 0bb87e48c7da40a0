#include "kernels/adamw/adamw.h"

#include <gtest/gtest.h>

#include <algorithm>
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

// One step of the formula, in doubles, over the values as they were.
void ExpectStepped(const std::vector<float>& g, const std::vector<float>& w0,
                   const std::vector<float>& m0, const std::vector<float>& v0,
                   const std::vector<float>& w, const std::vector<float>& m,
                   const std::vector<float>& v) {
  for (std::size_t i = 0; i < w.size(); ++i) {
    const double grad = g.empty() ? 0.0 : 0.5 * g[i];
    const double mi = 0.9f * m0[i] + (1 - 0.9f) * grad;
    const double vi = 0.999f * v0[i] + (1 - 0.999f) * grad * grad;
    const double wi = 0.99f * w0[i] - 1e-3 * mi / (std::sqrt(vi) * 3 + 1e-8);
    EXPECT_NEAR(m[i], mi, 1e-5 * (1 + std::abs(mi)));
    EXPECT_NEAR(v[i], vi, 1e-5 * (1 + std::abs(vi)));
    EXPECT_NEAR(w[i], wi, 1e-5 * (1 + std::abs(wi)));
  }
}

TEST(AdamW, FollowsTheFormulaForEveryRest) {
  for (const std::size_t n : {1, 3, 7, 8, 15, 16, 17, 31, 64, 1001}) {
    const std::vector<float> g = Normal(n, 1);
    std::vector<float> w = Normal(n, 2), m = Normal(n, 3), v = Normal(n, 4);
    for (float& x : v) x = x * x;
    const std::vector<float> w0 = w, m0 = m, v0 = v;
    StepAdamW(kFactors, g.data(), n, w.data(), m.data(), v.data());
    ExpectStepped(g, w0, m0, v0, w, m, v);
    w = w0, m = m0, v = v0;
    IdleAdamW(&kFactors, 1, n, w.data(), m.data(), v.data());
    ExpectStepped({}, w0, m0, v0, w, m, v);
  }
}

TEST(AdamW, IdleStepsGiveTheSameBitsHoweverTheyAreSplit) {
  const std::size_t n = 45;
  std::vector<AdamWFactors> factors(500, kFactors);
  for (std::size_t i = 0; i < factors.size(); ++i) {
    factors[i].rate = 1e-3f / static_cast<float>(i + 1);
    factors[i].keep = 1 - 1e-6f * static_cast<float>(i % 7);
  }
  std::vector<float> w = Normal(n, 2), m = Normal(n, 3), v = Normal(n, 4);
  for (float& x : v) x = x * x;
  m[3] = m[17] = 0;
  std::vector<float> w2 = w, m2 = m, v2 = v;
  IdleAdamW(factors.data(), 500, n, w.data(), m.data(), v.data());
  for (std::size_t begin = 0, size = 1; begin < 500; begin += size, size = size * 2 + 1) {
    IdleAdamW(factors.data() + begin, std::min(size, 500 - begin), n, w2.data(), m2.data(),
              v2.data());
  }
  EXPECT_EQ(w, w2);
  EXPECT_EQ(m, m2);
  EXPECT_EQ(v, v2);
  EXPECT_EQ(m[0], 0) << "0.9 to the 500th of it";
}

TEST(AdamW, SumsSquaresOfLargeAndSmallValuesTogether) {
  std::vector<float> x(100001, 1e-3f);
  x[5] = 100.0f;
  // One block of 4,096 is summed in f32, in as few lanes as one.
  EXPECT_NEAR(SumOfSquares(x.data(), x.size()), 1e4 + 100000 * 1e-6, 1e-2);
}

}  // namespace
}  // namespace hone::kernels
