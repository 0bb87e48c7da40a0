#include "planner/split_keeper.h"

#include "gtest/gtest.h"

namespace hone::planner {
namespace {

constexpr int kWide = 0, kNarrow = 1;  // of the layouts of two cores

LatencyTable Flat(double ms) {
  return *LatencyTable::FromGrid({.lengths = {32}, .texts = {1}, .ms = {ms}});
}

// One model that takes 10 ms of one thread or 8 of two; 200 a second are what two narrow executors can do.
std::vector<ModelState> AtRate(double rate_per_s) {
  std::vector<ModelState> models(1);
  models[0].demand.rate_per_s = rate_per_s;
  models[0].demand.texts_mean = 1;
  models[0].demand.tokens_mean = 32;
  models[0].demand.Asked(1, 32, base::kSecondNs, 0);
  models[0].rungs = {{.resident = true, .tables = {Flat(10), Flat(8)}}};
  return models;
}

class SplitKeeperTest : public testing::Test {
 protected:
  // What is in force after a look; wishes come true at once.
  int Look(double rate_per_s) {
    const auto wish = keeper_.Look(AtRate(rate_per_s), layouts_, split_);
    held_ = wish && wish->hold;
    if (wish) split_ = wish->split;
    return split_;
  }

  const Layouts layouts_ = *MakeLayouts(2, {});
  SplitKeeper keeper_;
  int split_ = kWide;
  bool held_ = false;
};

TEST_F(SplitKeeperTest, StaysAsItIsWhereNobodyAsks) {
  EXPECT_FALSE(keeper_.Look(AtRate(0.5), layouts_, kNarrow));
  EXPECT_FALSE(keeper_.Look({}, layouts_, kNarrow));
}

TEST_F(SplitKeeperTest, FollowsALoadThatLasts) {
  EXPECT_EQ(Look(120), kWide);
  EXPECT_EQ(Look(120), kWide);
  EXPECT_EQ(Look(120), kNarrow) << "three looks in a row";
  // Between the bounds nothing changes, and one quiet second is not enough.
  for (int look = 0; look < 5; ++look) EXPECT_EQ(Look(80), kNarrow);
  EXPECT_EQ(Look(20), kNarrow);
  EXPECT_EQ(Look(80), kNarrow);
  EXPECT_EQ(Look(20), kNarrow);
  EXPECT_EQ(Look(20), kNarrow);
  EXPECT_EQ(Look(20), kWide);
}

TEST_F(SplitKeeperTest, DoesNotWaitWhereMoreIsAskedForThanTheCoresCanDo) {
  EXPECT_EQ(Look(400), kNarrow);
  EXPECT_FALSE(held_) << "a split that breaks no promise; nobody is refused for it";
}

TEST_F(SplitKeeperTest, HoldsRequestsBackOnlyNowAndThen) {
  // A machine so busy that the wish never comes true.
  int holds = 0, first = 0;
  for (int look = 1; look <= 13; ++look) {
    const auto wish = keeper_.Look(AtRate(400), layouts_, kWide);
    ASSERT_TRUE(wish);
    EXPECT_EQ(wish->split, kNarrow);
    if (wish->hold && holds++ == 0) first = look;
  }
  EXPECT_EQ(first, 3) << "when it is steady";
  EXPECT_EQ(holds, 2) << "and ten looks later again";
}

TEST_F(SplitKeeperTest, AWishForWhatIsInForceEndsAnEarlierOne) {
  ASSERT_TRUE(keeper_.Look(AtRate(400), layouts_, kWide));
  const auto wish = keeper_.Look(AtRate(20), layouts_, kWide);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->split, kWide);
  EXPECT_FALSE(wish->hold);
}

}  // namespace
}  // namespace hone::planner
