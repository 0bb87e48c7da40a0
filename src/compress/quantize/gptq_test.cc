#include "compress/quantize/gptq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compress/quantize/clip.h"
#include "quant/int4_search.h"

namespace hone::compress {
namespace {

using testing::HasSubstr;
using Values = std::vector<double>;

Values Identity(std::size_t k) {
  Values h(k * k);
  for (std::size_t i = 0; i < k; ++i) h[i * k + i] = 1;
  return h;
}

std::vector<float> Weights(int n, int k, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> w(static_cast<std::size_t>(n * k));
  for (float& x : w) x = normal(random);
  return w;
}

// Σ x·xᵀ of inputs as layers have them: many directions of little weight, channels that move
// together, and a few channels far larger than the rest.
Values CorrelatedHessian(std::size_t k, int samples, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const std::size_t hidden = k / 4;
  Values mix(k * hidden);
  for (double& m : mix) m = normal(random);
  Values h(k * k), x(k);
  for (int t = 0; t < samples; ++t) {
    Values z(hidden);
    for (double& v : z) v = normal(random);
    for (std::size_t i = 0; i < k; ++i) {
      double sum = 0.3 * normal(random);
      for (std::size_t j = 0; j < hidden; ++j) {
        sum += mix[i * hidden + j] * z[j] / std::sqrt(hidden);
      }
      x[i] = i % 29 == 3 ? 12 * sum : sum;
    }
    for (std::size_t i = 0; i < k; ++i) {
      for (std::size_t j = 0; j < k; ++j) h[i * k + j] += x[i] * x[j];
    }
  }
  return h;
}

// H⁻¹ by Gauss and Jordan.
Values Inverse(Values h, std::size_t k) {
  const auto at = [k](std::size_t i, std::size_t j) { return i * k + j; };
  Values inverse = Identity(k);
  for (std::size_t p = 0; p < k; ++p) {
    const double pivot = h[at(p, p)];
    for (std::size_t j = 0; j < k; ++j) {
      h[at(p, j)] /= pivot;
      inverse[at(p, j)] /= pivot;
    }
    for (std::size_t i = 0; i < k; ++i) {
      if (i == p) continue;
      const double factor = h[at(i, p)];
      for (std::size_t j = 0; j < k; ++j) {
        h[at(i, j)] -= factor * h[at(p, j)];
        inverse[at(i, j)] -= factor * inverse[at(p, j)];
      }
    }
  }
  return inverse;
}

TEST(Gptq, WithIndependentInputsEqualsRoundingToNearest) {
  base::ThreadPool pool(2);
  const int n = 70, k = 200;  // a short last group, rows beyond one task
  const std::vector<float> w = Weights(n, k, 3);
  const auto factor = FactorHessian(Identity(k), k);
  ASSERT_TRUE(factor.ok()) << factor.status();
  const quant::Int4Matrix int4 = GptqInt4(w, n, *factor, pool);
  const quant::Int4Matrix nearest4 = quant::QuantizeInt4(w, n, k);
  EXPECT_EQ(int4.nibbles, nearest4.nibbles);
  EXPECT_EQ(int4.group_scale, nearest4.group_scale);
  EXPECT_EQ(int4.group_zero, nearest4.group_zero);
  const quant::Int8Matrix int8 = GptqInt8(w, n, *factor, pool);
  EXPECT_EQ(int8.values, quant::QuantizeInt8(w, n, k).values);
  for (std::size_t row = 0; row < 70; ++row) {
    EXPECT_NEAR(int4.scale[row], nearest4.scale[row], 1e-5f * nearest4.scale[row]);
  }
}

// The method as its paper writes it for one weight at a time, without blocks or a factor: after
// each rounding the others take δ = -(w_j - q_j) / H⁻¹_jj · H⁻¹_:j, and j leaves H⁻¹.
TEST(Gptq, Int8EqualsTheTextbookLoop) {
  base::ThreadPool pool(1);
  const int n = 6, k = 150;  // more than one block
  const std::vector<float> w = Weights(n, k, 5);
  const Values h = CorrelatedHessian(k, 400, 7);
  const auto factor = FactorHessian(h, k);
  ASSERT_TRUE(factor.ok()) << factor.status();
  const quant::Int8Matrix fast = GptqInt8(w, n, *factor, pool);

  Values damped = h;
  double mean = 0;
  const auto at = [](std::size_t i, std::size_t j) { return i * k + j; };
  for (int i = 0; i < k; ++i) mean += h[at(i, i)] / k;
  for (int i = 0; i < k; ++i) damped[at(i, i)] += 0.01 * mean;
  int different = 0;
  for (int row = 0; row < n; ++row) {
    Values inverse = Inverse(damped, k);
    Values v(w.begin() + row * k, w.begin() + (row + 1) * k);
    double largest = 0;
    for (const double x : v) largest = std::max(largest, std::abs(x));
    const double scale = largest / 127;
    for (int j = 0; j < k; ++j) {
      const auto column = static_cast<std::size_t>(j);
      const double q = std::clamp(std::nearbyint(v[column] / scale), -127.0, 127.0);
      const double error = (v[column] - q * scale) / inverse[at(j, j)];
      // f32 and f64 may part where a value lies halfway; what follows then differs a little too.
      const auto found = fast.values[at(row, j)];
      EXPECT_LE(std::abs(found - q), 1) << row << " " << j;
      different += found != static_cast<int>(q);
      for (int i = j + 1; i < k; ++i) v[static_cast<std::size_t>(i)] -= error * inverse[at(i, j)];
      const Values gone = inverse;
      for (int a = j + 1; a < k; ++a) {
        for (int b = j + 1; b < k; ++b) {
          inverse[at(a, b)] -= gone[at(a, j)] * gone[at(j, b)] / gone[at(j, j)];
        }
      }
    }
  }
  EXPECT_LE(different, n * k / 50);
}

TEST(Gptq, LowersTheErrorOfTheOutputsOnCorrelatedInputs) {
  base::ThreadPool pool(2);
  for (const int k : {96, 200, 384}) {
    const int n = 48;
    const std::vector<float> w = Weights(n, k, 11);
    const Values h = CorrelatedHessian(k, 600, 13);
    const auto factor = FactorHessian(h, k);
    ASSERT_TRUE(factor.ok()) << factor.status();
    const auto error = [&](const std::vector<float>& rounded) {
      return OutputError(w, rounded, n, k, h);
    };
    const double nearest4 = error(Dequantized(quant::QuantizeInt4(w, n, k)));
    const double nearest8 = error(Dequantized(quant::QuantizeInt8(w, n, k)));
    const double gptq4 = error(Dequantized(GptqInt4(w, n, *factor, pool)));
    const double gptq8 = error(Dequantized(GptqInt8(w, n, *factor, pool)));
    const double clipped4 = error(Dequantized(ClippedInt4(w, n, k, h, pool)));
    const double clipped8 = error(Dequantized(ClippedInt8(w, n, k, h, pool)));
    EXPECT_LT(gptq4, 0.3 * nearest4) << k;
    EXPECT_LT(gptq8, 0.6 * nearest8) << k;
    EXPECT_LT(clipped4, nearest4) << k;
    // int8 weighs each input alone, which is not the whole error.
    EXPECT_LT(clipped8, 1.1 * nearest8) << k;
  }
}

TEST(Gptq, ThreadsDoNotChangeTheBits) {
  const int n = 150, k = 160;
  const std::vector<float> w = Weights(n, k, 17);
  const auto factor = FactorHessian(CorrelatedHessian(k, 300, 19), k);
  ASSERT_TRUE(factor.ok());
  base::ThreadPool one(1), three(3);
  const quant::Int4Matrix a = GptqInt4(w, n, *factor, one), b = GptqInt4(w, n, *factor, three);
  EXPECT_EQ(a.nibbles, b.nibbles);
  EXPECT_EQ(a.scale, b.scale);
}

TEST(Gptq, InputsThatNeverOccurGetNoWeight) {
  const int n = 3, k = 40;
  std::vector<float> w = Weights(n, k, 23);
  for (std::size_t i = 0; i < 40; ++i) w[i] = 0;  // a row of zeros stays one
  Values h = CorrelatedHessian(k, 200, 29);
  for (std::size_t i = 0; i < 40; ++i) h[5 * 40 + i] = h[i * 40 + 5] = 0;
  const auto factor = FactorHessian(h, k);
  ASSERT_TRUE(factor.ok()) << factor.status();
  base::ThreadPool pool(1);
  const std::vector<float> int4 = Dequantized(GptqInt4(w, n, *factor, pool));
  const std::vector<float> int8 = Dequantized(GptqInt8(w, n, *factor, pool));
  for (std::size_t row = 0; row < 3; ++row) {
    EXPECT_EQ(int4[row * 40 + 5], 0.0f);
    EXPECT_EQ(int8[row * 40 + 5], 0.0f);
  }
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(int4[i], 0.0f);
}

TEST(Gptq, HessiansThatSayNothingAreErrors) {
  Values h = Identity(4);
  h[5] = NAN;
  EXPECT_THAT(FactorHessian(h, 4).status().message(), HasSubstr("not finite"));
  EXPECT_THAT(FactorHessian(Values(16), 4).status().message(), HasSubstr("every input at 0"));
}

}  // namespace
}  // namespace hone::compress
