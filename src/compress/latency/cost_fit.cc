#include "compress/latency/cost_fit.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/check.h"

namespace hone::compress {
namespace {

// Weights of the wishes beside the measurements, whose rows have the weight 1: a bend between
// neighbours, unequal costs of gone blocks, any cost at all.
constexpr double kBend = 0.3, kSameWhenGone = 10, kRidge = 1e-3;

// Where `columns` lies between the knots: the lower one, and the share of the upper.
std::pair<std::size_t, double> Between(int columns, std::span<const int> knots) {
  const auto upper = std::ranges::lower_bound(knots, columns);
  HONE_CHECK(upper != knots.end());
  const auto index = static_cast<std::size_t>(upper - knots.begin());
  if (*upper == columns) return {index, 0.0};
  const double share = static_cast<double>(columns - knots[index - 1]) /
                       static_cast<double>(knots[index] - knots[index - 1]);
  return {index - 1, share};
}

// Pool adjacent violators: the nearest sequence that never falls, and nothing below 0.
void MakeRising(std::vector<double>* values) {
  std::vector<std::pair<double, int>> pools;  // mean, count
  for (const double value : *values) {
    pools.emplace_back(value, 1);
    while (pools.size() > 1 && pools[pools.size() - 2].first > pools.back().first) {
      const auto [mean, count] = pools.back();
      pools.pop_back();
      auto& [before, others] = pools.back();
      before = (before * others + mean * count) / (others + count);
      others += count;
    }
  }
  std::size_t i = 0;
  for (const auto& [mean, count] : pools) {
    for (int n = 0; n < count; ++n) (*values)[i++] = std::max(mean, 0.0);
  }
}

class Fit {
 public:
  Fit(std::span<const CostSample> samples, int heads, std::span<const int> knots)
      : samples_(samples),
        knots_(knots),
        ffn_(2 + static_cast<std::size_t>(heads)),
        unknowns_(ffn_ + knots.size()) {}

  FittedCosts Solve();

 private:
  Eigen::VectorXd Row(const CostSample& sample) const;
  void AddRow(const Eigen::VectorXd& row, double wanted) {
    normal_ += row * row.transpose();
    right_ += row * wanted;
  }
  // Straight from one size to the next, within [begin, end); `at` gives a size.
  template <typename SizeAt>
  void AddBends(std::size_t begin, std::size_t end, SizeAt at);

  std::span<const CostSample> samples_;
  std::span<const int> knots_;
  std::size_t ffn_, unknowns_;  // 0: fixed, 1: attention of no head, …
  Eigen::MatrixXd normal_;
  Eigen::VectorXd right_;
};

Eigen::VectorXd Fit::Row(const CostSample& sample) const {
  Eigen::VectorXd row = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(unknowns_));
  row[0] = 1;
  for (const auto& [heads, columns] : sample.layers) {
    row[1 + heads] += 1;
    const auto [knot, share] = Between(columns, knots_);
    row[static_cast<Eigen::Index>(ffn_ + knot)] += 1 - share;
    if (share > 0) row[static_cast<Eigen::Index>(ffn_ + knot + 1)] += share;
  }
  return row;
}

template <typename SizeAt>
void Fit::AddBends(std::size_t begin, std::size_t end, SizeAt at) {
  for (std::size_t i = begin + 1; i + 1 < end; ++i) {
    const double ratio = (at(i + 1) - at(i)) / (at(i) - at(i - 1));
    Eigen::VectorXd row = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(unknowns_));
    row[static_cast<Eigen::Index>(i + 1)] = kBend;
    row[static_cast<Eigen::Index>(i)] = -kBend * (1 + ratio);
    row[static_cast<Eigen::Index>(i - 1)] = kBend * ratio;
    AddRow(row, 0);
  }
}

FittedCosts Fit::Solve() {
  const auto n = static_cast<Eigen::Index>(unknowns_);
  normal_ = Eigen::MatrixXd::Identity(n, n) * (kRidge * kRidge);
  right_ = Eigen::VectorXd::Zero(n);
  // In units of a mean block, so that the weights above mean the same on every device.
  double ms = 0, blocks = 0;
  for (const CostSample& sample : samples_) {
    ms += sample.ms;
    blocks += 2.0 * static_cast<double>(sample.layers.size());
  }
  const double unit = ms / std::max(blocks, 1.0);
  for (const CostSample& sample : samples_) {
    HONE_CHECK(sample.ms > 0);
    // A relative error of 1 % weighs as much as a bend of 1 % of a block.
    const double weight = unit / sample.ms * static_cast<double>(samples_[0].layers.size());
    AddRow(Row(sample) * weight, sample.ms / unit * weight);
  }
  // A block that is gone is no small block: the bends begin at one head and at the first width.
  AddBends(2, ffn_, [](std::size_t i) { return static_cast<double>(i); });
  AddBends(ffn_ + 1, unknowns_, [&](std::size_t i) { return double{1.0 * knots_[i - ffn_]}; });
  Eigen::VectorXd same = Eigen::VectorXd::Zero(n);
  same[1] = kSameWhenGone;
  same[static_cast<Eigen::Index>(ffn_)] = -kSameWhenGone;
  AddRow(same, 0);

  const Eigen::VectorXd costs = normal_.ldlt().solve(right_) * unit;
  FittedCosts fitted;
  fitted.fixed_ms = std::max(costs[0], 0.0);
  fitted.attention_ms.assign(costs.data() + 1, costs.data() + ffn_);
  fitted.ffn_ms.assign(costs.data() + ffn_, costs.data() + unknowns_);
  MakeRising(&fitted.attention_ms);
  MakeRising(&fitted.ffn_ms);
  Eigen::VectorXd kept(n);
  kept[0] = fitted.fixed_ms;
  for (std::size_t i = 1; i < unknowns_; ++i) {
    kept[static_cast<Eigen::Index>(i)] =
        i < ffn_ ? fitted.attention_ms[i - 1] : fitted.ffn_ms[i - ffn_];
  }
  std::vector<double> errors;
  for (const CostSample& sample : samples_) {
    errors.push_back(std::abs(Row(sample).dot(kept) / sample.ms - 1));
  }
  std::ranges::nth_element(errors, errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2));
  fitted.spread = errors[errors.size() / 2];
  return fitted;
}

}  // namespace

FittedCosts FitCosts(std::span<const CostSample> samples, int heads, std::span<const int> knots) {
  HONE_CHECK(!samples.empty() && heads >= 0 && !knots.empty() && knots.front() == 0);
  return Fit(samples, heads, knots).Solve();
}

}  // namespace hone::compress
