#include "planner/layouts.h"

#include <gtest/gtest.h>

namespace hone::planner {
namespace {

TEST(Layouts, OfferOneWideToOneACore) {
  const Layouts two = *MakeLayouts(2, {});
  EXPECT_EQ(two.widths, (std::vector<int>{1, 2}));
  EXPECT_EQ(two.threads, (std::vector<int>{2, 1, 1}));
  EXPECT_EQ(two.splits, (std::vector<std::vector<int>>{{0}, {1, 2}}));
  EXPECT_EQ(two.WidthIndex(0), 1);
  EXPECT_EQ(two.WidthIndex(2), 0);
  EXPECT_EQ(two.Find({1, 1}), 1);
  EXPECT_EQ(two.Find({2}), 0);
  EXPECT_EQ(two.Find({2, 1}), -1);

  const Layouts one = *MakeLayouts(1, {});
  EXPECT_EQ(one.splits.size(), 1u);
  const Layouts four = *MakeLayouts(4, {});
  EXPECT_EQ(four.widths, (std::vector<int>{1, 2, 4}));
}

TEST(Layouts, LeaveNoCoreIdle) {
  for (int cores = 1; cores <= 64; ++cores) {
    const Layouts layouts = *MakeLayouts(cores, {});
    EXPECT_EQ(layouts.WidthsOf(0), std::vector<int>{cores});
    for (int s = 0; s < static_cast<int>(layouts.splits.size()); ++s) {
      int sum = 0;
      for (const int width : layouts.WidthsOf(s)) sum += width;
      EXPECT_EQ(sum, cores);
      EXPECT_EQ(layouts.Find(layouts.WidthsOf(s)), s);
    }
    EXPECT_EQ(layouts.WidthsOf(static_cast<int>(layouts.splits.size()) - 1).size(),
              static_cast<std::size_t>(cores));
  }
}

TEST(Layouts, AGivenSplitIsTheOnlyOne) {
  const Layouts layouts = *MakeLayouts(4, {1, 2, 1});
  EXPECT_EQ(layouts.splits.size(), 1u);
  EXPECT_EQ(layouts.widths, (std::vector<int>{1, 2}));
  EXPECT_EQ(layouts.WidthIndex(1), 1);
  EXPECT_EQ(layouts.Find({2, 1, 1}), 0);
  EXPECT_FALSE(MakeLayouts(3, {2, 2}).ok());
  EXPECT_FALSE(MakeLayouts(3, {2, 0}).ok());
  EXPECT_FALSE(MakeLayouts(3, {2147483647, 2147483647}).ok());
}

TEST(ParseSplit, TakesWidthsOrAuto) {
  EXPECT_EQ(*ParseSplit("1,1"), (std::vector<int>{1, 1}));
  EXPECT_EQ(*ParseSplit("4"), std::vector<int>{4});
  EXPECT_TRUE(ParseSplit("auto")->empty());
  for (const char* wrong : {"", ",", "1,", ",1", "1;1", "1, 1", "0", "-1", "1025", "99999999999"}) {
    EXPECT_FALSE(ParseSplit(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace hone::planner
