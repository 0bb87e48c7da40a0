#include "planner/observed_demand.h"

#include "gtest/gtest.h"

namespace hone::planner {
namespace {

TEST(ObservedDemand, FollowsTheLoadAndForgetsIt) {
  ObservedDemand demand;
  EXPECT_EQ(demand.TightestTenth(), 0);
  for (int second = 0; second < 6; ++second) {
    for (int i = 0; i < 100; ++i) demand.Asked(2, 40, (1 + i % 50) * base::kMillisecondNs);
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

}  // namespace
}  // namespace hone::planner
