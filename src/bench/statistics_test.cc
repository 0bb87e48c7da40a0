#include "bench/statistics.h"

#include <gtest/gtest.h>

namespace hone::bench {
namespace {

TEST(Percentile, InterpolatesBetweenOrderStatistics) {
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 0.0), 1);
  EXPECT_DOUBLE_EQ(Percentile({4, 1, 3, 2}, 1.0), 4);
  EXPECT_DOUBLE_EQ(Percentile({10, 20}, 0.95), 19.5);
}

TEST(Percentile, OfOneValueIsThatValue) {
  EXPECT_DOUBLE_EQ(Percentile({7}, 0.99), 7);
}

TEST(Percentile, OfNothingIsZero) {
  EXPECT_DOUBLE_EQ(Percentile({}, 0.5), 0);
}

}  // namespace
}  // namespace hone::bench
