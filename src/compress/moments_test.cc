#include "compress/moments.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/isa_limit.h"

namespace hone::compress {
namespace {

std::vector<float> RandomRows(std::size_t values, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(values);
  for (float& value : x) value = normal(random);
  return x;
}

// Σ_t y[t,i]·x[t,j] in f64.
double Sum(const std::vector<float>& y, std::size_t left, std::size_t i,
           const std::vector<float>& x, std::size_t right, std::size_t j) {
  double sum = 0;
  for (std::size_t t = 0; t < x.size() / right; ++t) {
    sum += double{y[t * left + i]} * x[t * right + j];
  }
  return sum;
}

TEST(Moments, AreSumsOfProductsOverAllBatches) {
  base::ThreadPool pool(2);
  constexpr int kLeft = 37, kRight = 131;  // tails in every tile, more than one task
  const std::vector<float> x = RandomRows(std::size_t{300} * kRight, 1);
  const std::vector<float> y = RandomRows(std::size_t{300} * kLeft, 2);
  Moments square(kRight, pool, tests::IsaLimit()), cross(kLeft, kRight, pool, tests::IsaLimit());
  for (const auto& [begin, end] :
       {std::pair<std::size_t, std::size_t>{0, 1}, {1, 200}, {200, 300}}) {
    const auto rows_of_x = std::span(x).subspan(begin * kRight, (end - begin) * kRight);
    square.Add(rows_of_x);
    cross.Add(std::span(y).subspan(begin * kLeft, (end - begin) * kLeft), rows_of_x);
  }
  EXPECT_EQ(square.rows(), 300);
  EXPECT_NEAR(square.means()[5], Sum(std::vector<float>(300, 1), 1, 0, x, kRight, 5) / 300, 1e-9);
  EXPECT_NEAR(cross.left_means()[7], Sum(std::vector<float>(300, 1), 1, 0, y, kLeft, 7) / 300,
              1e-9);
  const std::vector<double> h = square.Take(0.5), c = cross.Take(1);
  // f32 sums of 300 products of size 1: 300 roundings of about √300·2⁻²⁴ each, rarely in step.
  const double tolerance = 300 * std::sqrt(300.0) * std::ldexp(1.0, -24);
  for (std::size_t i = 0; i < kRight; ++i) {
    for (std::size_t j = 0; j < kRight; ++j) {
      ASSERT_NEAR(h[i * kRight + j], 0.5 * Sum(x, kRight, i, x, kRight, j), tolerance);
      ASSERT_EQ(h[i * kRight + j], h[j * kRight + i]);
    }
  }
  for (std::size_t i = 0; i < kLeft; ++i) {
    for (std::size_t j = 0; j < kRight; ++j) {
      ASSERT_NEAR(c[i * kRight + j], Sum(y, kLeft, i, x, kRight, j), tolerance);
    }
  }
  EXPECT_EQ(square.rows(), 0) << "Take begins anew";
  square.Add(std::span(x).first(kRight));
  EXPECT_NEAR(square.Take(1)[0], double{x[0]} * x[0], 1e-6);
}

}  // namespace
}  // namespace hone::compress
