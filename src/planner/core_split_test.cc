#include "planner/core_split.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hone::planner {
namespace {

using testing::ElementsAre;

LatencyTable Flat(double ms) {
  return *LatencyTable::FromGrid({.lengths = {32}, .texts = {1}, .ms = {ms}});
}

TEST(ChooseSplit, TakesNarrowExecutorsWhereThreadsWorkTogetherBadly) {
  const LatencyTable one = Flat(10), two = Flat(8);
  const CoreDemand model{
      .rate_per_s = 50, .tokens = 32, .deadline_ns = 100'000'000, .tables = {&one, &two}};
  const CoreSplit split = ChooseSplit({model}, {1, 2}, 2);
  EXPECT_THAT(split.widths, ElementsAre(1, 1));
  EXPECT_NEAR(split.utilisation, 0.25, 1e-6);  // 50 requests of 10 ms on two executors
}

TEST(ChooseSplit, TakesAWideOneWhereDeadlinesNeedIt) {
  const LatencyTable one = Flat(10), two = Flat(6);
  CoreDemand model{
      .rate_per_s = 50, .tokens = 32, .deadline_ns = 13'000'000, .tables = {&one, &two}};
  EXPECT_THAT(ChooseSplit({model}, {1, 2}, 2).widths, ElementsAre(2));
  model.deadline_ns = 1'000'000;  // neither does: the nearer
  EXPECT_THAT(ChooseSplit({model}, {1, 2}, 2).widths, ElementsAre(2));
}

TEST(ChooseSplit, TakesTheWidestWhereNobodyHasAskedYet) {
  const LatencyTable one = Flat(10), two = Flat(6);
  const CoreDemand model{.tokens = 32, .tables = {&one, &two}};
  EXPECT_THAT(ChooseSplit({model}, {1, 2}, 2).widths, ElementsAre(2));
  EXPECT_THAT(ChooseSplit({model}, {1, 2}, 1).widths, ElementsAre(1));
}

TEST(ChooseSplit, LeavesNoCoreIdle) {
  const LatencyTable one = Flat(12), three = Flat(4);
  CoreDemand model{
      .rate_per_s = 50, .tokens = 32, .deadline_ns = 9'000'000, .tables = {&one, &three}};
  EXPECT_THAT(ChooseSplit({model}, {1, 3}, 5).widths, ElementsAre(3, 1, 1));
}

}  // namespace
}  // namespace hone::planner
