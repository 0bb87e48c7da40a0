#include "compress/prune/removal.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "compress/prune/inverse.h"
#include "compress/prune/surgeon.h"

namespace hone::compress {
namespace {

// tr(W H Wᵀ) of the columns `only`, all where it is empty.
double OutputEnergy(const RemovalRequest& request, std::span<const int> only) {
  const auto n = static_cast<std::size_t>(request.columns);
  std::vector<std::size_t> columns(only.begin(), only.end());
  double energy = 0;
  std::vector<double> w(columns.size());
  for (int r = 0; r < request.rows; ++r) {
    const float* row = request.weight.data() + static_cast<std::size_t>(r) * n;
    for (std::size_t i = 0; i < columns.size(); ++i) w[i] = double{row[columns[i]]};
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const double* h = request.hessian.data() + columns[i] * n;
      double sum = 0;
      for (std::size_t j = 0; j < columns.size(); ++j) sum += h[columns[j]] * w[j];
      energy += w[i] * sum;
    }
  }
  return energy;
}

std::vector<int> ColumnsOf(const std::vector<int>& structures, int group) {
  std::vector<int> columns;
  for (const int s : structures) {
    for (int c = 0; c < group; ++c) columns.push_back(s * group + c);
  }
  return columns;
}

Level WholeLevel(const RemovalRequest& request) {
  Level level{.kept = request.columns / request.group,
              .error = 0,
              .structures = {},
              .weight = {},
              .bias_shift = {}};
  level.structures.resize(static_cast<std::size_t>(level.kept));
  std::iota(level.structures.begin(), level.structures.end(), 0);
  level.weight.assign(request.weight.begin(), request.weight.end());
  return level;
}

void CheckRequest(const RemovalRequest& request) {
  const auto n = static_cast<std::size_t>(request.columns);
  HONE_CHECK(request.group >= 1 && request.columns % request.group == 0);
  HONE_CHECK(request.weight.size() == static_cast<std::size_t>(request.rows) * n);
  HONE_CHECK(request.hessian.size() == n * n);
  HONE_CHECK(request.mean.empty() || request.mean.size() == n);
  HONE_CHECK(!request.counts.empty() && request.counts.front() == request.columns / request.group);
  HONE_CHECK(std::ranges::is_sorted(request.counts, std::greater<>()));
}

// W·mean of the columns given, whose weights are [rows, columns.size()]; empty without a mean.
std::vector<double> MeanOutput(const RemovalRequest& request, std::span<const float> weight,
                               const std::vector<int>& columns) {
  if (request.mean.empty()) return {};
  std::vector<double> output(static_cast<std::size_t>(request.rows));
  for (std::size_t r = 0; r < output.size(); ++r) {
    for (std::size_t j = 0; j < columns.size(); ++j) {
      output[r] += double{weight[r * columns.size() + j]} *
                   request.mean[static_cast<std::size_t>(columns[j])];
    }
  }
  return output;
}

double SquaredNorm(const std::vector<double>& values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}

void ShiftBias(const RemovalRequest& request, const std::vector<double>& whole, Level* level) {
  const std::vector<double> output =
      MeanOutput(request, level->weight, ColumnsOf(level->structures, request.group));
  for (std::size_t r = 0; r < output.size(); ++r) {
    level->bias_shift.push_back(static_cast<float>(whole[r] - output[r]));
  }
}

}  // namespace

std::vector<int> ColumnCounts(int whole) {
  std::vector<int> counts;
  double width = whole;
  for (int count = whole; count >= 1; width *= 0.9, count = static_cast<int>(std::lround(width))) {
    if (counts.empty() || counts.back() != count) counts.push_back(count);
  }
  counts.push_back(0);
  return counts;
}

std::vector<int> HeadCounts(int whole) {
  std::vector<int> counts;
  for (int count = whole; count >= 0; --count) counts.push_back(count);
  return counts;
}

base::StatusOr<std::vector<Level>> RemoveOneAtATime(const RemovalRequest& request,
                                                    base::ThreadPool& pool) {
  CheckRequest(request);
  HONE_ASSIGN_OR_RETURN(DampedInverse inverse,
                        InvertHessian(request.hessian, request.columns, request.damping, pool));
  // tr(W H Wᵀ) comes with the inverse's factor: ‖W L‖² without another product of W and H.
  std::vector<Level> levels = {WholeLevel(request)};
  const std::vector<double> mean_output =
      MeanOutput(request, request.weight, ColumnsOf(levels[0].structures, request.group));
  const double energy =
      inverse.Energy(request.weight, request.rows, pool) + SquaredNorm(mean_output);
  Surgeon surgeon(request, std::move(inverse), pool);
  for (std::size_t i = 1; i < request.counts.size(); ++i) {
    if (request.counts[i] == 0) {
      levels.push_back({.kept = 0, .error = 1, .structures = {}, .weight = {}, .bias_shift = {}});
      continue;
    }
    surgeon.RemoveDownTo(request.counts[i]);
    Level level = surgeon.Take();
    level.error = energy > 0 ? surgeon.error() / energy : 0;
    ShiftBias(request, mean_output, &level);
    levels.push_back(std::move(level));
  }
  return levels;
}

base::StatusOr<std::vector<Level>> RemoveByMagnitude(const RemovalRequest& request) {
  CheckRequest(request);
  const auto n = static_cast<std::size_t>(request.columns);
  const int structures = request.columns / request.group;
  std::vector<double> magnitude(static_cast<std::size_t>(structures));
  for (std::size_t i = 0; i < request.weight.size(); ++i) {
    magnitude[i % n / static_cast<std::size_t>(request.group)] +=
        double{request.weight[i]} * request.weight[i];
  }
  std::vector<int> order(static_cast<std::size_t>(structures));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {},
                           [&](int s) { return magnitude[static_cast<std::size_t>(s)]; });
  std::vector<int> all(n);
  std::iota(all.begin(), all.end(), 0);
  std::vector<Level> levels = {WholeLevel(request)};
  const std::vector<double> mean_output = MeanOutput(request, request.weight, all);
  const double energy = OutputEnergy(request, all) + SquaredNorm(mean_output);
  for (std::size_t i = 1; i < request.counts.size(); ++i) {
    const int kept = request.counts[i];
    if (kept == 0) {
      levels.push_back({.kept = 0, .error = 1, .structures = {}, .weight = {}, .bias_shift = {}});
      continue;
    }
    const std::vector<int> gone(order.begin(), order.end() - kept);
    Level level{.kept = kept, .error = 0, .structures = {}, .weight = {}, .bias_shift = {}};
    level.structures.assign(order.end() - kept, order.end());
    std::ranges::sort(level.structures);
    if (energy > 0) level.error = OutputEnergy(request, ColumnsOf(gone, request.group)) / energy;
    const std::vector<int> columns = ColumnsOf(level.structures, request.group);
    for (int r = 0; r < request.rows; ++r) {
      for (const int c : columns) {
        level.weight.push_back(
            request.weight[static_cast<std::size_t>(r) * n + static_cast<std::size_t>(c)]);
      }
    }
    ShiftBias(request, mean_output, &level);
    levels.push_back(std::move(level));
  }
  return levels;
}

}  // namespace hone::compress
