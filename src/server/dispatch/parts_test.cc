// The dispatcher's small parts: numbered slots, histograms, windows.
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "server/dispatch/histogram.h"
#include "server/dispatch/served_model.h"
#include "server/dispatch/slot_map.h"

namespace hone::server {
namespace {

TEST(SlotMap, NumbersAscendAndAreNeverUsedAgain) {
  SlotMap<std::shared_ptr<int>> map;
  const auto value = std::make_shared<int>(7);
  std::set<std::uint64_t> seen;
  std::uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::uint64_t> ids;
    for (int i = 0; i < 5; ++i) ids.push_back(map.Add(value));
    for (const std::uint64_t id : ids) {
      EXPECT_GT(id, last);
      last = id;
      EXPECT_TRUE(seen.insert(id).second);
      ASSERT_NE(map.Find(id), nullptr);
    }
    EXPECT_EQ(map.size(), 5u);
    EXPECT_EQ(map.Ids().size(), 5u);
    for (const std::uint64_t id : ids) {
      map.Erase(id);
      map.Erase(id);  // again: nothing
      EXPECT_EQ(map.Find(id), nullptr);
    }
    EXPECT_EQ(value.use_count(), 1) << "what is erased is let go at once";
  }
  EXPECT_EQ(map.Find(0), nullptr);
  EXPECT_EQ(map.Find(~std::uint64_t{0}), nullptr);
}

TEST(Histogram, CountsBelowAndOnABound) {
  Histogram histogram = MakeHistogram();
  for (const double ms : {0.05, 0.1, 0.11, 1e9}) Count(ms, &histogram);
  EXPECT_EQ(histogram.counts.front(), 2);
  EXPECT_EQ(histogram.counts[1], 1);
  EXPECT_EQ(histogram.counts.back(), 1);
  EXPECT_EQ(histogram.counts.size(), histogram.bounds_ms.size() + 1);
  EXPECT_DOUBLE_EQ(histogram.sum_ms, 0.26 + 1e9);
}

TEST(RatioWindow, GivesTheTwentiethWorstOfTheLast) {
  RatioWindow window;
  EXPECT_EQ(window.Percentile95(1.3), 1.3);
  for (int i = 0; i < 100; ++i) window.Add(5);
  for (int i = 0; i < 64; ++i) window.Add(i < 60 ? 1 : 2);
  EXPECT_EQ(window.Percentile95(1.3), 2);
}

}  // namespace
}  // namespace hone::server
