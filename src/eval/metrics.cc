#include "eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>

#include "base/check.h"

namespace hone::eval {
namespace {

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Distances from the mean, scaled so that the largest is 1: a correlation does not depend on scale,
// and squares of very small or large values leave the range of a double.
std::vector<double> Deviations(std::span<const double> values) {
  const double mean = Mean(values);
  std::vector<double> deviations(values.size());
  double largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    deviations[i] = values[i] - mean;
    largest = std::max(largest, std::abs(deviations[i]));
  }
  for (double& deviation : deviations) deviation /= largest;
  return deviations;
}

}  // namespace

double Accuracy(std::span<const int> expected, std::span<const int> predicted) {
  HONE_CHECK(expected.size() == predicted.size() && !expected.empty());
  std::size_t equal = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) equal += expected[i] == predicted[i];
  return static_cast<double>(equal) / static_cast<double>(expected.size());
}

double BinaryF1(std::span<const int> expected, std::span<const int> predicted) {
  HONE_CHECK(expected.size() == predicted.size() && !expected.empty());
  std::int64_t both = 0, either = 0;  // tp and 2·tp + fp + fn
  for (std::size_t i = 0; i < expected.size(); ++i) {
    both += expected[i] == 1 && predicted[i] == 1;
    either += (expected[i] == 1) + (predicted[i] == 1);
  }
  return either == 0 ? 0.0 : 2.0 * static_cast<double>(both) / static_cast<double>(either);
}

double Matthews(std::span<const int> expected, std::span<const int> predicted) {
  HONE_CHECK(expected.size() == predicted.size() && !expected.empty());
  struct Counts {
    double expected = 0, predicted = 0;
  };
  std::map<int, Counts> counts;
  double correct = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    counts[expected[i]].expected += 1;
    counts[predicted[i]].predicted += 1;
    correct += expected[i] == predicted[i];
  }
  const double n = static_cast<double>(expected.size());
  double both = 0, squares_expected = 0, squares_predicted = 0;
  for (const auto& [label, count] : counts) {
    both += count.expected * count.predicted;
    squares_expected += count.expected * count.expected;
    squares_predicted += count.predicted * count.predicted;
  }
  const double scale = (n * n - squares_predicted) * (n * n - squares_expected);
  return scale == 0 ? 0.0 : (correct * n - both) / std::sqrt(scale);
}

double Pearson(std::span<const double> x, std::span<const double> y) {
  HONE_CHECK(x.size() == y.size() && !x.empty());
  // A constant side is tested for as such: rounding of its mean would make the sums below not quite
  // 0.
  auto constant = [](std::span<const double> v) {
    return std::all_of(v.begin(), v.end(), [&](double value) { return value == v[0]; });
  };
  if (constant(x) || constant(y)) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> dx = Deviations(x), dy = Deviations(y);
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < dx.size(); ++i) {
    xy += dx[i] * dy[i];
    xx += dx[i] * dx[i];
    yy += dy[i] * dy[i];
  }
  return std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0);
}

std::vector<double> Ranks(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  auto less = [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return less(values[a], values[b]); });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && !less(values[order[begin]], values[order[end]])) ++end;
    // Ranks begin+1 … end, shared.
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

double Spearman(std::span<const double> x, std::span<const double> y) {
  return Pearson(Ranks(x), Ranks(y));
}

}  // namespace hone::eval
