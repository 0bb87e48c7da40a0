#include "planner/cold_start.h"

#include "gtest/gtest.h"

namespace hone::planner {
namespace {

TEST(ColdStart, IsOneThreadsWorkBesideOthers) {
  EXPECT_DOUBLE_EQ(LoadWorkMs(30, 2, 1), 60) << "seen on two threads";
  EXPECT_DOUBLE_EQ(LoadWorkMs(30, 1, 1), 30);
  EXPECT_DOUBLE_EQ(LoadWorkMs(0, 2, 50'000'000), 202) << "never seen: by its size";
  EXPECT_GT(ExpectedLoadMs(60), 120) << "it has less than a whole core, and begins late";
}

TEST(ColdStart, WhoWaitsHasTheTimeToLoadAndToCompute) {
  constexpr base::TimeNs kMs = base::kMillisecondNs;
  EXPECT_TRUE(MayWait(10, 2 * kMs, 100 * kMs, 112 * kMs));
  EXPECT_FALSE(MayWait(10, 2 * kMs, 100 * kMs, 112 * kMs - 1));
  EXPECT_FALSE(MayWait(10, 0, 100 * kMs, 90 * kMs)) << "it was over before";
}

}  // namespace
}  // namespace hone::planner
