#include "compress/search/budget_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace hone::compress {
namespace {

using Blocks = std::vector<std::vector<BlockOption>>;

Blocks RandomBlocks(std::mt19937& random, int blocks, int options, int terms = 1) {
  std::uniform_real_distribution<double> uniform(0, 1);
  Blocks made(static_cast<std::size_t>(blocks));
  for (std::vector<BlockOption>& block : made) {
    for (int o = 0; o < options; ++o) {
      BlockOption& option = block.emplace_back();
      option.level = o;
      option.ms = uniform(random);
      for (int t = 0; t < terms; ++t) option.errors.push_back(uniform(random));
    }
  }
  return made;
}

BlockOption Option(double ms, double error) {
  return {.level = 0, .format = {}, .ms = ms, .errors = {error}};
}

SearchOptions Limits(int candidates, int patience) {
  SearchOptions options;
  options.candidates = candidates;
  options.patience = patience;
  return options;
}

// Every choice there is.
template <typename Use>
void ForEachChoice(const Blocks& blocks, Use use) {
  Choice choice(blocks.size(), 0);
  for (;;) {
    use(choice);
    std::size_t b = 0;
    while (b < blocks.size() && ++choice[b] == static_cast<int>(blocks[b].size())) choice[b++] = 0;
    if (b == blocks.size()) return;
  }
}

double Error(const Blocks& blocks, const std::vector<double>& c, const Choice& choice) {
  double error = 0;
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    const std::vector<double>& errors = blocks[b][static_cast<std::size_t>(choice[b])].errors;
    for (std::size_t t = 0; t < errors.size(); ++t) error += c[b * errors.size() + t] * errors[t];
  }
  return error;
}

TEST(SolveBudget, IsAsGoodAsTryingEveryChoice) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(0.1, 2);
  for (int trial = 0; trial < 60; ++trial) {
    const int terms = trial % 2 == 0 ? 1 : 3;
    const Blocks blocks = RandomBlocks(random, 5, 4, terms);
    std::vector<double> c(SensitivityCount(blocks));
    for (double& value : c) value = uniform(random);
    const double budget = uniform(random) * 2;
    double best = INFINITY, best_of_less = INFINITY;
    ForEachChoice(blocks, [&](const Choice& choice) {
      const double ms = TotalMs(blocks, choice);
      if (ms <= budget) best = std::min(best, Error(blocks, c, choice));
      // What rounding up to buckets may cost: one bucket a block.
      if (ms <= budget * (1 - 5.0 / kBuckets)) {
        best_of_less = std::min(best_of_less, Error(blocks, c, choice));
      }
    });
    const auto choice = SolveBudget(blocks, c, budget);
    if (!choice) {
      EXPECT_EQ(best_of_less, INFINITY) << "trial " << trial;
      continue;
    }
    EXPECT_LE(TotalMs(blocks, *choice), budget * (1 + 1e-9));
    EXPECT_GE(Error(blocks, c, *choice), best - 1e-12);
    EXPECT_LE(Error(blocks, c, *choice), best_of_less + 1e-12) << "trial " << trial;
  }
}

TEST(SolveBudget, RefusesABudgetThatTheFastestOptionsExceed) {
  const Blocks blocks = {{Option(2, 0), Option(1, 1)}, {Option(3, 0)}};
  const std::vector<double> c = {1, 1};
  EXPECT_FALSE(SolveBudget(blocks, c, 3.9));
  EXPECT_THAT(*SolveBudget(blocks, c, 4.0), testing::ElementsAre(1, 0)) << "exactly enough";
  EXPECT_THAT(*SolveBudget(blocks, c, 5.0), testing::ElementsAre(0, 0));
  EXPECT_FALSE(SolveBudget(blocks, c, 0));
  EXPECT_FALSE(SolveBudget(blocks, c, -1));
  EXPECT_FALSE(SolveBudget(blocks, c, NAN));
}

TEST(SearchBudget, FindsTheBestChoiceOfASmallProblemWhateverThePriorSays) {
  std::mt19937 random(11);
  const Blocks blocks = RandomBlocks(random, 4, 5);
  // The real loss weighs the blocks in a way that the prior does not know.
  const std::vector<double> truth = {8, 0.2, 3, 0.5};
  const double budget = 1.6;
  double best = INFINITY;
  ForEachChoice(blocks, [&](const Choice& choice) {
    if (TotalMs(blocks, choice) <= budget * (1 - 4.0 / kBuckets)) {
      best = std::min(best, Error(blocks, truth, choice));
    }
  });
  int evaluated = 0;
  const auto result = SearchBudget(
      blocks, budget,
      [&](const Choice& choice) -> base::StatusOr<double> {
        ++evaluated;
        EXPECT_LE(TotalMs(blocks, choice), budget * (1 + 1e-9)) << "every candidate is in time";
        return Error(blocks, truth, choice);
      },
      Limits(300, 300));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NEAR(result->loss, best, 1e-12);
  EXPECT_EQ(result->candidates, evaluated);
  EXPECT_NEAR(Error(blocks, truth, result->choice), result->loss, 1e-12);
}

TEST(SearchBudget, IsRepeatableAndStartsFromWhatItIsGiven) {
  std::mt19937 random(5);
  const Blocks blocks = RandomBlocks(random, 6, 6);
  const auto search = [&](std::uint64_t seed, std::vector<double> start) {
    SearchOptions options = Limits(20, 80);
    options.random_starts = 5;
    options.start = std::move(start);
    options.seed = seed;
    return *SearchBudget(
        blocks, 2.0,
        [&](const Choice& choice) {
          return Error(blocks, {6, 5, 4, 3, 2, 1}, choice);
        },
        options);
  };
  EXPECT_EQ(search(1, {}).choice, search(1, {}).choice);
  const SearchResult first = search(1, {});
  EXPECT_LE(search(2, first.sensitivities).loss, first.loss);
}

TEST(SearchBudget, StopsAtItsLimits) {
  std::mt19937 random(9);
  const Blocks blocks = RandomBlocks(random, 8, 8);
  int calls = 0;
  const EvaluateChoice count = [&](const Choice&) -> base::StatusOr<double> { return ++calls; };
  EXPECT_TRUE(SearchBudget(blocks, 1.6, count, Limits(7, 80)).ok());
  EXPECT_EQ(calls, 7);
  calls = 0;
  SearchOptions stopped = Limits(100, 80);
  stopped.stop = [&] { return calls >= 3; };
  EXPECT_TRUE(SearchBudget(blocks, 1.6, count, stopped).ok());
  EXPECT_EQ(calls, 3);
}

TEST(SearchBudget, PassesErrorsOnAndNeverKeepsANaN) {
  const Blocks blocks = {{Option(1, 0), Option(0.5, 1)}, {Option(1, 0), Option(0.5, 1)}};
  EXPECT_FALSE(SearchBudget(blocks, 0.9, [](const Choice&) { return 1.0; }, {}).ok());
  const auto failing =
      SearchBudget(blocks, 2, [](const Choice&) { return base::BadInput("broken"); }, {});
  EXPECT_EQ(failing.status().message(), "broken");
  int calls = 0;
  const auto result = SearchBudget(
      blocks, 1.5,
      [&](const Choice&) -> base::StatusOr<double> { return ++calls == 2 ? NAN : 1.0 + calls; },
      Limits(300, 80));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->loss, 2.0);
}

}  // namespace
}  // namespace hone::compress
