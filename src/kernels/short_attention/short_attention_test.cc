#include "kernels/short_attention/short_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

namespace hone::kernels {
namespace {

struct Case {
  std::size_t tokens, heads, size;
};

std::vector<float> Normal(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 1);
  std::vector<float> values(n);
  for (float& x : values) x = normal(random);
  return values;
}

// The formula, in doubles: Σ out ∘ weights, and out where it is asked for.
double Value(const Case& c, const std::vector<float>& q, const std::vector<float>& k,
             const std::vector<float>& v, const std::vector<float>& keep,
             const std::vector<float>& weights, std::vector<double>* out) {
  const auto at = [&](std::size_t t, std::size_t h, std::size_t s) {
    return (t * c.heads + h) * c.size + s;
  };
  double value = 0;
  for (std::size_t h = 0; h < c.heads; ++h) {
    for (std::size_t i = 0; i < c.tokens; ++i) {
      std::vector<double> p(c.tokens);
      double sum = 0;
      for (std::size_t j = 0; j < c.tokens; ++j) {
        double dot = 0;
        for (std::size_t s = 0; s < c.size; ++s) dot += double{q[at(i, h, s)]} * k[at(j, h, s)];
        sum += p[j] = std::exp(0.3 * dot);
      }
      for (std::size_t s = 0; s < c.size; ++s) {
        double o = 0;
        for (std::size_t j = 0; j < c.tokens; ++j) {
          const std::size_t place = (h * c.tokens + i) * c.tokens + j;
          o += p[j] / sum * keep[place] * v[at(j, h, s)];
        }
        if (out != nullptr) (*out)[at(i, h, s)] = o;
        value += o * weights[at(i, h, s)];
      }
    }
  }
  return value;
}

TEST(ShortAttention, FollowsTheFormulaAndItsGradientTheDifferences) {
  for (const Case& c : {Case{1, 1, 32}, Case{5, 2, 32}, Case{13, 1, 20}, Case{64, 3, 7}}) {
    const std::size_t n = c.tokens * c.heads * c.size, pairs = c.heads * c.tokens * c.tokens;
    std::vector<float> q = Normal(n, 1), k = Normal(n, 2), v = Normal(n, 3);
    const std::vector<float> weights = Normal(n, 4);
    std::vector<float> keep(pairs, 1.25f);
    for (std::size_t i = 0; i < pairs; i += 5) keep[i] = 0;
    std::vector<float> p(pairs), out(n), d_q(n, 9), d_k(n, 9), d_v(n, 9);
    std::vector<double> expected(n);
    Value(c, q, k, v, keep, weights, &expected);
    const ShortAttentionShape shape{static_cast<int>(c.tokens), static_cast<int>(c.heads),
                                    static_cast<int>(c.size), 0.3f};
    ShortAttention(shape, q.data(), k.data(), v.data(), keep.data(), p.data(), out.data());
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(out[i], expected[i], 2e-5);
    ShortAttentionGradient(shape, q.data(), k.data(), v.data(), keep.data(), p.data(),
                           weights.data(), d_q.data(), d_k.data(), d_v.data());
    for (auto [values, gradient] : {std::pair{&q, &d_q}, {&k, &d_k}, {&v, &d_v}}) {
      for (std::size_t i = 0; i < n; i += n / 5 + 1) {
        const float before = (*values)[i];
        const float h = 0.01f;
        (*values)[i] = before + h;
        const double above = Value(c, q, k, v, keep, weights, nullptr);
        const double high = (*values)[i];
        (*values)[i] = before - h;
        const double below = Value(c, q, k, v, keep, weights, nullptr);
        const double step = high - double{(*values)[i]};
        (*values)[i] = before;
        EXPECT_NEAR((*gradient)[i], (above - below) / step, 2e-3) << c.tokens;
      }
    }
  }
}

TEST(ShortAttention, KeepsAllWhereNothingIsSaid) {
  const ShortAttentionShape shape{7, 2, 32, 0.2f};
  const std::vector<float> q = Normal(448, 1), k = Normal(448, 2), v = Normal(448, 3);
  const std::vector<float> keep(98, 1.0f);
  std::vector<float> p(98), some(448), all(448), d(448), a(448), b(448), c(448), e(448);
  ShortAttention(shape, q.data(), k.data(), v.data(), keep.data(), p.data(), some.data());
  ShortAttention(shape, q.data(), k.data(), v.data(), nullptr, p.data(), all.data());
  EXPECT_EQ(some, all);
  ShortAttentionGradient(shape, q.data(), k.data(), v.data(), keep.data(), p.data(), q.data(),
                         a.data(), b.data(), c.data());
  ShortAttentionGradient(shape, q.data(), k.data(), v.data(), nullptr, p.data(), q.data(), d.data(),
                         e.data(), some.data());
  EXPECT_EQ(a, d);
  EXPECT_EQ(b, e);
  EXPECT_EQ(c, some);
}

}  // namespace
}  // namespace hone::kernels
