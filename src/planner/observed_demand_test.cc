#include "planner/observed_demand.h"

#include "gtest/gtest.h"

namespace hone::planner {
namespace {

TEST(ObservedDemand, FollowsTheLoadAndForgetsIt) {
  ObservedDemand demand;
  EXPECT_EQ(demand.TightestTenth(), 0);
  for (int second = 0; second < 6; ++second) {
    for (int i = 0; i < 100; ++i) demand.Asked(2, 40, (1 + i % 50) * base::kMillisecondNs, 0);
    demand.Look(1);
  }
  EXPECT_NEAR(demand.rate_per_s, 100, 2);
  EXPECT_DOUBLE_EQ(demand.texts_mean, 2);
  EXPECT_DOUBLE_EQ(demand.tokens_mean, 40);
  EXPECT_LE(demand.TightestTenth(), 8 * base::kMillisecondNs);
  EXPECT_GE(demand.TightestTenth(), 3 * base::kMillisecondNs);
  for (int second = 0; second < 10; ++second) demand.Look(1);
  EXPECT_LT(demand.rate_per_s, 1);
  EXPECT_DOUBLE_EQ(demand.tokens_mean, 40) << "what was last asked for is still the best guess";
}

TEST(ObservedDemand, CeasesAfterEightGaps) {
  ObservedDemand demand;
  EXPECT_TRUE(demand.Ceased(0)) << "nobody has asked";
  for (int i = 1; i <= 20; ++i) demand.Asked(1, 32, 0, i * 50 * base::kMillisecondNs);
  const base::TimeNs last = base::kSecondNs;
  EXPECT_FALSE(demand.Ceased(last + base::kSecondNs / 2)) << "how often they ask is not known yet";
  EXPECT_TRUE(demand.Ceased(last + base::kSecondNs / 2 + 1));
  demand.Look(0.5);  // half of 40 a second
  EXPECT_FALSE(demand.Ceased(last + 400 * base::kMillisecondNs));
  EXPECT_TRUE(demand.Ceased(last + 401 * base::kMillisecondNs));
}

TEST(ObservedDemand, KnowsWhoIsAskedForNow) {
  ObservedDemand demand;
  base::TimeNs now = 0;
  demand.rate_per_s = 3;
  for (int i = 0; i < 7; ++i) demand.Asked(1, 32, base::kSecondNs, now += base::kMillisecondNs);
  EXPECT_EQ(demand.RecentRate(now), 3) << "too few to tell";
  for (int i = 0; i < 20; ++i) demand.Asked(1, 32, base::kSecondNs, now += base::kMillisecondNs);
  EXPECT_NEAR(demand.RecentRate(now + base::kMillisecondNs), 1000, 1);
  EXPECT_NEAR(demand.RecentRate(now + 73 * base::kMillisecondNs), 100, 1) << "and falls by itself";
}

}  // namespace
}  // namespace hone::planner
