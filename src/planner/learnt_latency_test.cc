#include "planner/learnt_latency.h"

#include <gtest/gtest.h>

namespace hone::planner {
namespace {

using base::kMillisecondNs;

// 1 ms a text of 8 tokens, 2 ms of 16.
LearntLatency Fresh() {
  return LearntLatency(
      *LatencyTable::FromGrid({.lengths = {8, 16}, .texts = {1, 4}, .ms = {1, 4, 2, 8}}));
}

TEST(LearntLatency, IsWhatWasMeasuredUntilEnoughWasSeen) {
  LearntLatency learnt = Fresh();
  for (int i = 0; i < 10; ++i) learnt.Observe(1, 8, 3 * kMillisecondNs);
  EXPECT_EQ(learnt.factor(), 1);
  EXPECT_EQ(learnt.grid().ms, Fresh().grid().ms);
}

TEST(LearntLatency, WeighsBatchesByTheirTime) {
  LearntLatency learnt = Fresh();
  for (int i = 0; i < 100; ++i) {
    learnt.Observe(1, 8, kMillisecondNs);        // 1 ms, as expected
    learnt.Observe(4, 64, 14 * kMillisecondNs);  // expected: 8 ms
  }
  EXPECT_NEAR(learnt.factor(), 15.0 / 9, 1e-9);
  EXPECT_NEAR(learnt.grid().ms[3], 8 * 15.0 / 9, 1e-9);
}

TEST(LearntLatency, FollowsADeviceThatChanges) {
  LearntLatency learnt = Fresh();
  for (int i = 0; i < 20000; ++i) learnt.Observe(1, 8, kMillisecondNs);
  for (int i = 0; i < 20000; ++i) learnt.Observe(1, 8, 2 * kMillisecondNs);
  EXPECT_GT(learnt.factor(), 1.7);
  EXPECT_LE(learnt.factor(), 2);
}

TEST(LearntLatency, KeepsAbsurdTimesInBounds) {
  LearntLatency learnt = Fresh();
  for (int i = 0; i < 100; ++i) learnt.Observe(1, 8, base::kSecondNs);
  EXPECT_EQ(learnt.factor(), 4);
  learnt = Fresh();
  for (int i = 0; i < 100; ++i) learnt.Observe(1, 8, 0);
  EXPECT_EQ(learnt.factor(), 1);
}

}  // namespace
}  // namespace hone::planner
