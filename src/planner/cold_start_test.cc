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

}  // namespace
}  // namespace hone::planner
