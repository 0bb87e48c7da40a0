#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/test_traffic.h"

namespace hone::sim {
namespace {

using scheduler::Setup;

// One model of one rung: 1 ms a batch and 1 ms each 32 tokens.
Setup OneModel() {
  Setup setup{.widths = {1}, .overhead_ns = 0};
  setup.models.push_back(
      {.name = "only", .rungs = {{.name = "only", .tables = {LinearTable(1, 1.0 / 32)}}}});
  setup.executors.push_back({});
  return setup;
}

SimRequest At(double ms, double deadline_ms) {
  return {.at = static_cast<base::TimeNs>(ms * 1e6),
          .deadline = static_cast<base::TimeNs>(deadline_ms * 1e6),
          .tokens = 32};
}

TEST(ExactOptimum, KnowsTheFuture) {
  const auto setup = OneModel();
  EXPECT_EQ(ExactOptimum(setup, {At(0, 2)}), 1);
  EXPECT_EQ(ExactOptimum(setup, {At(0, 1.9)}), 0);
  // Two batches of one take 4 ms, one batch of two 3 ms.
  EXPECT_EQ(ExactOptimum(setup, {At(0, 3), At(0, 3)}), 2);
  EXPECT_EQ(ExactOptimum(setup, {At(0, 2.9), At(0, 2.9)}), 1);
  // It leaves the first waiting for the one that has no time: 1 to 3 ms, then 3 to 5 ms.
  EXPECT_EQ(ExactOptimum(setup, {At(0, 5), At(1, 3)}), 2);
}

TEST(ExactOptimum, KeepsToTheBatchLimits) {
  auto setup = OneModel();
  setup.models[0].max_texts = 1;
  EXPECT_EQ(ExactOptimum(setup, {At(0, 3), At(0, 3)}), 1);
  setup.models[0].max_texts = 8;
  setup.max_batch_ns = 2'500'000;
  EXPECT_EQ(ExactOptimum(setup, {At(0, 3), At(0, 3)}), 1);
}

TEST(UpperBound, IsReachedWhereWorkIsAllThatCounts) {
  // A hundred that may all be one batch: 64 texts take 65 ms, so about 98 fit into 100 ms.
  std::vector<SimRequest> requests(300, At(0, 100));
  const auto bound = UpperBound(OneModel(), requests);
  EXPECT_GE(bound, 98);
  EXPECT_LE(bound, 102);  // costs are rounded down by up to 3 %
}

TEST(UpperBound, LeavesTheFrontItsTime) {
  // 300 times 0.2 ms of front leave 40 of 100 ms.
  const std::vector<SimRequest> requests(300, At(0, 100));
  const auto bound = UpperBound(OneModel(), requests, 0.2);
  EXPECT_GE(bound, 39);
  EXPECT_LE(bound, 41);
  EXPECT_EQ(UpperBound(OneModel(), requests, 1), 0);
}

TEST(UpperBound, LeavesOutWhatNobodyCouldServe) {
  EXPECT_EQ(UpperBound(OneModel(), {At(0, 1), At(5, 6), At(9, 20)}), 1);
}

TEST(Bounds, HoldAndLadderComesNearTheOptimum) {
  double ladder = 0, optimum = 0, bound = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const auto setup = ThreeModels(1);
    auto requests = MakeTraffic(setup, {.load = 5, .seconds = 0.02}, seed);
    if (static_cast<int>(requests.size()) > 10) requests.resize(10);
    if (requests.empty()) continue;
    const int best = ExactOptimum(setup, requests);
    const auto result = *Simulate(setup, "ladder", requests, {.sigma = 0}, 1);
    const auto from_above = UpperBound(setup, requests);
    ASSERT_LE(result.total.ok, best) << "seed " << seed;
    ASSERT_LE(best, from_above) << "seed " << seed;
    ladder += static_cast<double>(result.total.ok);
    optimum += best;
    bound += static_cast<double>(from_above);
  }
  EXPECT_GE(ladder / optimum, 0.9);
  RecordProperty("ladder_of_optimum", std::to_string(ladder / optimum));
  RecordProperty("optimum_of_bound", std::to_string(optimum / bound));
}

}  // namespace
}  // namespace hone::sim
