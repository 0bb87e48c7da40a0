#include "base/percentile.h"

#include <gtest/gtest.h>

namespace hone::base {
namespace {

TEST(Percentile, InterpolatesBetweenOrderStatistics) {
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 0.0), 1);
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 1.0), 4);
  EXPECT_DOUBLE_EQ(Percentile({10, 20}, 0.95), 19.5);
  EXPECT_DOUBLE_EQ(Percentile({5, 9, 1, 7, 3, 8, 2, 6, 4, 10, 0}, 0.73), 7.3);
}

TEST(Percentile, OfOneValueIsThatValue) {
  EXPECT_DOUBLE_EQ(Percentile({7}, 0.99), 7);
}

TEST(Percentile, OfNothingIsZero) {
  EXPECT_DOUBLE_EQ(Percentile({}, 0.5), 0);
}

TEST(MiddleMean, IsTheMeanOfTheMiddleFifth) {
  EXPECT_DOUBLE_EQ(MiddleMean({}), 0);
  EXPECT_DOUBLE_EQ(MiddleMean({7}), 7);
  EXPECT_DOUBLE_EQ(MiddleMean({2, 1}), 1.5);
  EXPECT_DOUBLE_EQ(MiddleMean({1, 100, 3, 2, -50}), 2) << "of few the median";
  EXPECT_DOUBLE_EQ(MiddleMean({0, 1, 2, 3, 40, 50, 90, 7, 8, 9, 10}), (7 + 8 + 9) / 3.0);
}

}  // namespace
}  // namespace hone::base
