#include "compress/prune/removal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace hone::compress {
namespace {

using Values = std::vector<double>;

// Inputs x [T,n] that hang together: a few hidden causes, plus noise of their own.
Values CorrelatedInputs(std::size_t rows, std::size_t n, unsigned seed, double mean = 0) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  const std::size_t causes = n / 2 + 1;
  Values mix(n * causes), x(rows * n);
  for (double& value : mix) value = normal(random);
  for (std::size_t t = 0; t < rows; ++t) {
    Values cause(causes);
    for (double& value : cause) value = normal(random);
    for (std::size_t i = 0; i < n; ++i) {
      double sum = mean * static_cast<double>(i % 5) + 0.5 * normal(random);
      for (std::size_t c = 0; c < causes; ++c) sum += mix[i * causes + c] * cause[c];
      x[t * n + i] = sum;
    }
  }
  return x;
}

// The mean of (x − mean)(x − mean)ᵀ.
Values Hessian(const Values& x, std::size_t n, const Values& mean) {
  const std::size_t rows = x.size() / n;
  Values h(n * n);
  for (std::size_t t = 0; t < rows; ++t) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        h[i * n + j] +=
            (x[t * n + i] - mean[i]) * (x[t * n + j] - mean[j]) / static_cast<double>(rows);
      }
    }
  }
  return h;
}

std::vector<float> RandomWeight(std::size_t rows, std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> w(rows * n);
  for (float& value : w) value = normal(random);
  return w;
}

// x of A x = b for symmetric positive definite A [n,n] by Gaussian elimination.
Values Solve(Values a, Values b) {
  const std::size_t n = b.size();
  for (std::size_t p = 0; p < n; ++p) {
    for (std::size_t r = p + 1; r < n; ++r) {
      const double factor = a[r * n + p] / a[p * n + p];
      for (std::size_t c = p; c < n; ++c) a[r * n + c] -= factor * a[p * n + c];
      b[r] -= factor * b[p];
    }
  }
  for (std::size_t p = n; p-- > 0;) {
    for (std::size_t c = p + 1; c < n; ++c) b[p] -= a[p * n + c] * b[c];
    b[p] /= a[p * n + p];
  }
  return b;
}

struct Optimum {
  Values weight;  // [rows, kept]
  double error;   // tr((W_S − W) H (W_S − W)ᵀ)
};

// The specification: for each row of W the least squares weights for the columns kept,
// W_S = W H_:,S H_S,S⁻¹, worked out from nothing.
Optimum LeastSquares(const std::vector<float>& w, std::size_t rows, const Values& h,
                     const std::vector<int>& kept) {
  const auto n = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(h.size()))));
  const std::size_t k = kept.size();
  Optimum optimum{Values(rows * k), 0};
  Values inner(k * k);
  for (std::size_t i = 0; i < k; ++i) {
    for (std::size_t j = 0; j < k; ++j) {
      inner[i * k + j] =
          h[static_cast<std::size_t>(kept[i]) * n + static_cast<std::size_t>(kept[j])];
    }
  }
  for (std::size_t r = 0; r < rows; ++r) {
    Values right(k), difference(n);
    for (std::size_t j = 0; j < n; ++j) {
      difference[j] = -double{w[r * n + j]};
      for (std::size_t i = 0; i < k; ++i) {
        right[i] += double{w[r * n + j]} * h[j * n + static_cast<std::size_t>(kept[i])];
      }
    }
    const Values row = Solve(inner, right);
    for (std::size_t i = 0; i < k; ++i) {
      optimum.weight[r * k + i] = row[i];
      difference[static_cast<std::size_t>(kept[i])] += row[i];
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        optimum.error += difference[i] * h[i * n + j] * difference[j];
      }
    }
  }
  return optimum;
}

double Energy(const std::vector<float>& w, std::size_t rows, const Values& h) {
  return LeastSquares(w, rows, h, {}).error;  // of keeping nothing
}

std::vector<int> Columns(const std::vector<int>& structures, int group) {
  std::vector<int> columns;
  for (const int s : structures) {
    for (int i = 0; i < group; ++i) columns.push_back(s * group + i);
  }
  return columns;
}

std::vector<int> CountDown(int from) {
  std::vector<int> counts(static_cast<std::size_t>(from) + 1);
  std::iota(counts.rbegin(), counts.rend(), 0);
  return counts;
}

std::vector<Level> Remove(const std::vector<float>& w, int rows, const Values& h, int group,
                          const std::vector<int>& counts, const Values& mean = {}) {
  base::ThreadPool pool(2);
  const int columns = static_cast<int>(w.size()) / rows;
  const auto levels = RemoveOneAtATime({.weight = w,
                                        .hessian = h,
                                        .mean = mean,
                                        .rows = rows,
                                        .columns = columns,
                                        .group = group,
                                        .counts = counts,
                                        .damping = 0},
                                       pool);
  EXPECT_TRUE(levels.ok()) << levels.status().message();
  return levels.ok() ? *levels : std::vector<Level>();
}

// Every level has the least squares weights, and every removal between two neighbouring ones was
// the best one of all that could have been made.
void ExpectOptimal(const std::vector<float>& w, int rows, const Values& h, int group,
                   const std::vector<Level>& levels) {
  const auto row_count = static_cast<std::size_t>(rows);
  const double energy = Energy(w, row_count, h);
  for (std::size_t l = 1; l + 1 < levels.size(); ++l) {
    const Level& level = levels[l];
    ASSERT_EQ(level.kept, static_cast<int>(level.structures.size()));
    const Optimum best = LeastSquares(w, row_count, h, Columns(level.structures, group));
    ASSERT_EQ(level.weight.size(), best.weight.size());
    for (std::size_t i = 0; i < best.weight.size(); ++i) {
      ASSERT_NEAR(level.weight[i], best.weight[i], 1e-5) << "level " << l;
    }
    ASSERT_NEAR(level.error, best.error / energy, 1e-9) << "level " << l;
    if (levels[l - 1].kept != level.kept + 1) continue;
    double least = std::numeric_limits<double>::infinity();
    for (const int out : levels[l - 1].structures) {
      std::vector<int> rest;
      for (const int s : levels[l - 1].structures) {
        if (s != out) rest.push_back(s);
      }
      least = std::min(least, LeastSquares(w, row_count, h, Columns(rest, group)).error);
    }
    ASSERT_NEAR(best.error, least, 1e-9 * energy) << "level " << l;
  }
}

TEST(Removal, ColumnsGoInTheBestOrderWithLeastSquaresWeights) {
  const Values x = CorrelatedInputs(200, 13, 1);
  const Values h = Hessian(x, 13, Values(13));
  const std::vector<float> w = RandomWeight(5, 13, 2);
  const std::vector<Level> levels = Remove(w, 5, h, 1, CountDown(13));
  ASSERT_EQ(levels.size(), 14u);
  EXPECT_EQ(levels.front().weight, w);
  EXPECT_EQ(levels.front().error, 0);
  EXPECT_EQ(levels.back().error, 1);
  EXPECT_TRUE(levels.back().weight.empty());
  ExpectOptimal(w, 5, h, 1, levels);
}

TEST(Removal, HeadsGoInTheBestOrderWithLeastSquaresWeights) {
  const Values x = CorrelatedInputs(300, 24, 3);
  const Values h = Hessian(x, 24, Values(24));
  const std::vector<float> w = RandomWeight(7, 24, 4);
  ExpectOptimal(w, 7, h, 4, Remove(w, 7, h, 4, CountDown(6)));
}

// Enough columns for several lazy blocks, and levels that cut through them.
TEST(Removal, LazyBlocksChangeNothing) {
  const Values x = CorrelatedInputs(500, 150, 5);
  const Values h = Hessian(x, 150, Values(150));
  const std::vector<float> w = RandomWeight(3, 150, 6);
  ExpectOptimal(w, 3, h, 1, Remove(w, 3, h, 1, {150, 147, 70, 66, 2, 1, 0}));
}

TEST(Removal, OfTwoEqualInputsOneGoesForNothing) {
  Values x = CorrelatedInputs(200, 12, 7);
  for (std::size_t t = 0; t < 200; ++t) x[t * 12 + 9] = x[t * 12 + 4];
  const Values h = Hessian(x, 12, Values(12));
  const std::vector<float> w = RandomWeight(4, 12, 8);
  // H is singular: the inverse needs damping, which costs next to nothing here.
  base::ThreadPool pool(1);
  const auto levels = RemoveOneAtATime({.weight = w,
                                        .hessian = h,
                                        .mean = {},
                                        .rows = 4,
                                        .columns = 12,
                                        .counts = {12, 11, 0},
                                        .damping = 1e-9},
                                       pool);
  ASSERT_TRUE(levels.ok());
  const Level& level = (*levels)[1];
  EXPECT_LT(level.error, 1e-8);
  const bool kept_4 = std::ranges::count(level.structures, 4) == 1;
  EXPECT_NE(kept_4, std::ranges::count(level.structures, 9) == 1);
  const auto at = static_cast<std::size_t>(std::ranges::find(level.structures, kept_4 ? 4 : 9) -
                                           level.structures.begin());
  for (std::size_t r = 0; r < 4; ++r) {
    EXPECT_NEAR(level.weight[r * 11 + at], w[r * 12 + 4] + w[r * 12 + 9], 1e-4);
  }
}

TEST(Removal, InputsThatAreAlwaysZeroGoFirst) {
  Values x = CorrelatedInputs(200, 10, 9);
  for (std::size_t t = 0; t < 200; ++t) x[t * 10 + 3] = x[t * 10 + 6] = 0;
  const Values h = Hessian(x, 10, Values(10));
  const std::vector<Level> levels = Remove(RandomWeight(4, 10, 10), 4, h, 1, {10, 8, 7, 0});
  EXPECT_EQ(levels[1].structures, (std::vector<int>{0, 1, 2, 4, 5, 7, 8, 9}));
  EXPECT_NEAR(levels[1].error, 0, 1e-12);
  EXPECT_GT(levels[2].error, 1e-4);
}

// The error of a level as its definition has it, from the data: Σ‖W_s x + c − W x‖² / Σ‖W x‖².
double ErrorOnData(const Values& x, const std::vector<float>& w, std::size_t rows,
                   const Level& level, int group) {
  const std::size_t n = w.size() / rows;
  const std::vector<int> columns = Columns(level.structures, group);
  double error = 0, energy = 0;
  for (std::size_t t = 0; t < x.size() / n; ++t) {
    for (std::size_t r = 0; r < rows; ++r) {
      double whole = 0;
      double left = level.bias_shift.empty() ? 0 : double{level.bias_shift[r]};
      for (std::size_t j = 0; j < n; ++j) whole += double{w[r * n + j]} * x[t * n + j];
      for (std::size_t j = 0; j < columns.size(); ++j) {
        left += double{level.weight[r * columns.size() + j]} *
                x[t * n + static_cast<std::size_t>(columns[j])];
      }
      error += (left - whole) * (left - whole);
      energy += whole * whole;
    }
  }
  return error / energy;
}

TEST(Removal, BiasTakesOverWhatRemovedInputsGaveInTheMean) {
  const Values x = CorrelatedInputs(300, 16, 11, 2.0);
  Values mean(16);
  for (std::size_t i = 0; i < x.size(); ++i) mean[i % 16] += x[i] / 300;
  const std::vector<float> w = RandomWeight(5, 16, 12);
  const Values centred = Hessian(x, 16, mean), plain = Hessian(x, 16, Values(16));
  const std::vector<int> counts = {16, 11, 6, 2, 0};
  for (const int group : {1, 2}) {
    std::vector<int> structures;
    for (const int count : counts) structures.push_back(count / group);
    const std::vector<Level> with = Remove(w, 5, centred, group, structures, mean);
    const std::vector<Level> without = Remove(w, 5, plain, group, structures);
    for (std::size_t l = 1; l + 1 < with.size(); ++l) {
      EXPECT_NEAR(with[l].error, ErrorOnData(x, w, 5, with[l], group), 1e-6);
      EXPECT_NEAR(without[l].error, ErrorOnData(x, w, 5, without[l], group), 1e-6);
      EXPECT_LT(with[l].error, without[l].error);
    }
  }
}

TEST(Removal, MagnitudeKeepsWeightsAndCostsMore) {
  const Values x = CorrelatedInputs(300, 16, 13);
  const Values h = Hessian(x, 16, Values(16));
  const std::vector<float> w = RandomWeight(5, 16, 14);
  const auto magnitude = RemoveByMagnitude({.weight = w,
                                            .hessian = h,
                                            .mean = {},
                                            .rows = 5,
                                            .columns = 16,
                                            .group = 2,
                                            .counts = {8, 5, 2, 0}});
  ASSERT_TRUE(magnitude.ok());
  const std::vector<Level> surgeon = Remove(w, 5, h, 2, {8, 5, 2, 0});
  for (std::size_t l = 1; l < 3; ++l) {
    const Level& level = (*magnitude)[l];
    EXPECT_NEAR(level.error, ErrorOnData(x, w, 5, level, 2), 1e-6);
    EXPECT_LT(surgeon[l].error, level.error);
    const std::vector<int> columns = Columns(level.structures, 2);
    for (std::size_t j = 0; j < columns.size(); ++j) {
      EXPECT_EQ(level.weight[j], w[static_cast<std::size_t>(columns[j])]) << "row 0 as it was";
    }
  }
}

TEST(Removal, RefusesAHessianThatIsNotFinite) {
  Values h = {1, 0, 0, std::numeric_limits<double>::quiet_NaN()};
  base::ThreadPool pool(1);
  const std::vector<float> w = {1, 1};
  const auto levels = RemoveOneAtATime(
      {.weight = w, .hessian = h, .mean = {}, .rows = 1, .columns = 2, .counts = {2, 1}}, pool);
  EXPECT_EQ(levels.status().message(),
            "the calibration data lead to activations that are not finite (input 1)");
}

TEST(Removal, LevelsFallByATenth) {
  EXPECT_EQ(ColumnCounts(20),
            (std::vector<int>{20, 18, 16, 15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(ColumnCounts(1), (std::vector<int>{1, 0}));
  EXPECT_EQ(HeadCounts(3), (std::vector<int>{3, 2, 1, 0}));
}

}  // namespace
}  // namespace hone::compress
