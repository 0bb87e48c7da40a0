#include "compress/search/budget_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "base/check.h"

namespace hone::compress {
namespace {

using Blocks = std::span<const std::vector<BlockOption>>;

// Buckets that an option takes of the budget; rounded up, but for rounding errors of the division.
int BucketsOf(double ms, double budget_ms) {
  if (ms <= 0) return 0;
  const double exact = ms / budget_ms * kBuckets;
  return exact > kBuckets ? kBuckets + 1 : static_cast<int>(std::ceil(exact - 1e-9));
}

struct Step {
  int buckets = 0;
  double error = 0;
  int option = 0;
};

std::size_t Terms(Blocks blocks) {
  HONE_CHECK(!blocks.empty() && !blocks.front().empty());
  return blocks.front().front().errors.size();
}

double Weighted(const BlockOption& option, std::span<const double> sensitivities) {
  double error = 0;
  for (std::size_t t = 0; t < option.errors.size(); ++t) {
    error += sensitivities[t] * option.errors[t];
  }
  return error;
}

// One problem: what it is for any sensitivities, and the tables that each solution fills anew.
class Solver {
 public:
  Solver(Blocks blocks, double budget_ms) : blocks_(blocks), terms_(Terms(blocks)) {
    for (const std::vector<BlockOption>& options : blocks) {
      HONE_CHECK(!options.empty());
      std::vector<int>& buckets = buckets_.emplace_back();
      for (const BlockOption& option : options) {
        HONE_CHECK(option.errors.size() == terms_);
        buckets.push_back(BucketsOf(option.ms, budget_ms));
      }
    }
    taken_.resize(blocks.size());
    for (auto& row : taken_) row.resize(kBuckets + 1);
  }

  std::optional<Choice> Solve(std::span<const double> sensitivities) {
    HONE_CHECK(sensitivities.size() == blocks_.size() * terms_);
    constexpr double kNever = std::numeric_limits<double>::infinity();
    // best[b]: the least error of the blocks so far in exactly or less than b buckets.
    std::vector<double> best(kBuckets + 1, 0.0), next(kBuckets + 1);
    std::vector<std::vector<Step>> frontiers(blocks_.size());
    for (std::size_t block = 0; block < blocks_.size(); ++block) {
      frontiers[block] = Frontier(block, sensitivities.subspan(block * terms_, terms_));
      std::ranges::fill(next, kNever);
      for (std::size_t s = 0; s < frontiers[block].size(); ++s) {
        const Step& step = frontiers[block][s];
        for (int b = step.buckets; b <= kBuckets; ++b) {
          const auto at = static_cast<std::size_t>(b);
          const double sum = best[at - static_cast<std::size_t>(step.buckets)] + step.error;
          // The equal sum of a slower option is not taken.
          if (sum < next[at]) {
            next[at] = sum;
            taken_[block][at] = static_cast<std::uint16_t>(s);
          }
        }
      }
      best.swap(next);
    }
    if (best[kBuckets] == kNever) return std::nullopt;
    Choice choice(frontiers.size());
    int left = kBuckets;
    for (std::size_t block = frontiers.size(); block-- > 0;) {
      const Step& step = frontiers[block][taken_[block][static_cast<std::size_t>(left)]];
      choice[block] = step.option;
      left -= step.buckets;
    }
    return choice;
  }

 private:
  // The options of a block that no other beats in both time and error, fastest first.
  std::vector<Step> Frontier(std::size_t block, std::span<const double> sensitivities) const {
    std::vector<Step> steps;
    for (std::size_t o = 0; o < blocks_[block].size(); ++o) {
      steps.push_back(
          {buckets_[block][o], Weighted(blocks_[block][o], sensitivities), static_cast<int>(o)});
    }
    std::ranges::stable_sort(steps, [](const Step& a, const Step& b) {
      return a.buckets != b.buckets ? a.buckets < b.buckets : a.error < b.error;
    });
    std::vector<Step> frontier;
    for (const Step& step : steps) {
      if (frontier.empty() || step.error < frontier.back().error) frontier.push_back(step);
    }
    return frontier;
  }

  Blocks blocks_;
  std::size_t terms_;
  std::vector<std::vector<int>> buckets_;          // of each option
  std::vector<std::vector<std::uint16_t>> taken_;  // index into the frontier
};

// Sensitivities are drawn over two decades: a block may matter a hundred times as much as another.
class Sensitivities {
 public:
  Sensitivities(std::size_t count, std::uint64_t seed) : count_(count), random_(seed) {}

  std::vector<double> Random() {
    std::vector<double> values(count_);
    for (double& value : values) value = Draw();
    return values;
  }
  // A neighbour: each drawn anew with that probability, at least one.
  std::vector<double> Near(std::vector<double> values, double probability) {
    std::bernoulli_distribution draw(probability);
    bool changed = false;
    for (double& value : values) {
      if (!draw(random_)) continue;
      value = Draw();
      changed = true;
    }
    if (!changed) {
      values[std::uniform_int_distribution<std::size_t>(0, count_ - 1)(random_)] = Draw();
    }
    return values;
  }

 private:
  double Draw() { return std::pow(10.0, std::uniform_real_distribution<double>(-1, 1)(random_)); }

  std::size_t count_;
  std::mt19937_64 random_;
};

class Search {
 public:
  Search(Blocks blocks, double budget_ms, const EvaluateChoice& evaluate,
         const SearchOptions& options)
      : solver_(blocks, budget_ms),
        evaluate_(evaluate),
        options_(options),
        random_(SensitivityCount(blocks), options.seed),
        sensitivities_(SensitivityCount(blocks)) {}

  base::StatusOr<SearchResult> Run();

 private:
  // Takes the candidate where it is better; returns whether it was.
  base::StatusOr<bool> Try(const std::vector<double>& sensitivities);
  bool Enough() const {
    return result_.candidates >= options_.candidates || (options_.stop && options_.stop());
  }

  Solver solver_;
  const EvaluateChoice& evaluate_;
  const SearchOptions& options_;
  Sensitivities random_;
  std::size_t sensitivities_;  // of them
  std::map<Choice, double> losses_;
  SearchResult result_;
};

base::StatusOr<bool> Search::Try(const std::vector<double>& sensitivities) {
  const std::optional<Choice> choice = solver_.Solve(sensitivities);
  if (!choice) return base::NotFound("no choice of levels keeps the budget");
  const auto [known, is_new] = losses_.try_emplace(*choice, 0.0);
  if (is_new) {
    HONE_ASSIGN_OR_RETURN(known->second, evaluate_(*choice));
    ++result_.candidates;
    if (options_.progress) options_.progress(result_.candidates, known->second, *choice);
  }
  // A loss that is no number never wins, and gives way to any that is one.
  const double loss = known->second;
  const bool better = result_.choice.empty() || loss < result_.loss ||
                      (std::isnan(result_.loss) && !std::isnan(loss));
  if (!better) return false;
  result_.choice = *choice;
  result_.sensitivities = sensitivities;
  result_.loss = loss;
  return true;
}

base::StatusOr<SearchResult> Search::Run() {
  HONE_ASSIGN_OR_RETURN(
      bool better,
      Try(options_.start.empty() ? std::vector<double>(sensitivities_, 1.0) : options_.start));
  for (int i = 0; i < options_.random_starts && !Enough(); ++i) {
    HONE_ASSIGN_OR_RETURN(better, Try(random_.Random()));
  }
  // A choice met again costs no loss but counts as a step, or a small problem would never end.
  for (int since = 0; since < options_.patience && !Enough(); ++since) {
    HONE_ASSIGN_OR_RETURN(better, Try(random_.Near(result_.sensitivities, options_.resample)));
    if (better) since = -1;
  }
  return result_;
}

}  // namespace

double TotalMs(Blocks blocks, const Choice& choice) {
  double total = 0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    total += blocks[b][static_cast<std::size_t>(choice[b])].ms;
  }
  return total;
}

std::size_t SensitivityCount(Blocks blocks) {
  return blocks.size() * Terms(blocks);
}

std::optional<Choice> SolveBudget(Blocks blocks, std::span<const double> sensitivities,
                                  double budget_ms) {
  if (!(budget_ms > 0)) return std::nullopt;
  return Solver(blocks, budget_ms).Solve(sensitivities);
}

base::StatusOr<SearchResult> SearchBudget(Blocks blocks, double budget_ms,
                                          const EvaluateChoice& evaluate,
                                          const SearchOptions& options) {
  HONE_CHECK(!blocks.empty());
  if (!(budget_ms > 0)) return base::NotFound("no choice of levels keeps the budget");
  return Search(blocks, budget_ms, evaluate, options).Run();
}

}  // namespace hone::compress
