#include "compress/ladder/time_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone::compress {
namespace {

constexpr RungCosts kCosts{
    .snapshots_s = 20, .candidate_s = 0.5, .candidates = 300, .training_s = 1000, .other_s = 30};

TEST(TimePlan, WithoutABudgetNothingIsCut) {
  const auto plan = PlanTime(kCosts, 3, 0);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->candidates, 300);
  EXPECT_EQ(plan->epoch_share, 1);
  EXPECT_DOUBLE_EQ(plan->total_s, 3 * (20 + 150 + 1000 + 30));
  EXPECT_EQ(plan->training_s, 0) << "no limit";
}

TEST(TimePlan, ABudgetThatFitsLimitsButCutsNothing) {
  const auto plan = PlanTime(kCosts, 2, 3000);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->candidates, 300);
  EXPECT_EQ(plan->epoch_share, 1);
  EXPECT_LE(2 * (20 + 30 + plan->search_s + plan->training_s), 3000 + 1e-6);
}

TEST(TimePlan, CutsCandidatesBeforeEpochs) {
  const auto plan = PlanTime(kCosts, 1, 1100);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->candidates, 100);
  EXPECT_EQ(plan->epoch_share, 1);
  const auto shorter = PlanTime(kCosts, 1, 570);
  ASSERT_TRUE(shorter.ok());
  EXPECT_EQ(shorter->candidates, kLeastCandidates);
  EXPECT_NEAR(shorter->epoch_share, 0.5, 1e-9);
}

TEST(TimePlan, EveryPlanKeepsItsBudget) {
  for (double budget = 50; budget < 9000; budget *= 1.07) {
    for (const int rungs : {1, 2, 5}) {
      const auto plan = PlanTime(kCosts, rungs, budget);
      if (!plan.ok()) {
        EXPECT_LT(budget, rungs * (20 + 20 + 50 + 30.0)) << "refused although the least fits";
        EXPECT_THAT(plan.status().message(), testing::HasSubstr("too short"));
        continue;
      }
      EXPECT_LE(plan->total_s, 1.01 * budget);
      EXPECT_LE(rungs * (50 + plan->search_s + plan->training_s), 1.01 * budget + 1e-6);
      EXPECT_GE(plan->candidates, kLeastCandidates);
    }
  }
}

TEST(TimePlan, BehindTheFirstRungTheLeastIsRefusedNoMore) {
  ASSERT_FALSE(PlanTime(kCosts, 2, 100).ok());
  const TimePlan plan = PlanTimeAgain(kCosts, 2, 100);
  EXPECT_EQ(plan.candidates, kLeastCandidates);
  EXPECT_EQ(plan.epoch_share, kLeastEpochShare);
  EXPECT_EQ(plan.training_s, 50) << "and still a limit";
}

TEST(TimePlan, WithoutTrainingOnlyTheSearchIsCut) {
  RungCosts oneshot = kCosts;
  oneshot.training_s = 0;
  const auto plan = PlanTime(oneshot, 1, 120);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->candidates, 140);
  EXPECT_FALSE(PlanTime(oneshot, 1, 60).ok());
}

TEST(Duration, SaysWhatPeopleRead) {
  EXPECT_EQ(SayDuration(35.4), "35 s");
  EXPECT_EQ(SayDuration(240), "4 min");
  EXPECT_EQ(SayDuration(7200), "2 h");
  EXPECT_EQ(SayDuration(4800), "1 h 20 min");
}

}  // namespace
}  // namespace hone::compress
