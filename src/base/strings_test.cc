#include "base/strings.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace hone::base {
namespace {

TEST(StrCat, TakesTextIntegersAndFloats) {
  EXPECT_EQ(StrCat("a", std::string("b"), std::string_view("c"), 'd', 1, -2, 0.5, 1e10f),
            "abcd1-20.51e+10");
  EXPECT_EQ(StrCat(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(StrCat(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(StrCat(), "");
}

TEST(StrAppend, MayAppendATextToItself) {
  std::string text = "ab";
  StrAppend(&text, text, "-", text);
  EXPECT_EQ(text, "abab-ab");
}

TEST(Join, SeparatesWithoutATrailer) {
  EXPECT_EQ(Join(std::vector<int>{1, 2, 3}, ", "), "1, 2, 3");
  EXPECT_EQ(Join(std::vector<std::string>{"a"}, ", "), "a");
  EXPECT_EQ(Join(std::vector<int>{}, ", "), "");
  EXPECT_EQ(Join(std::vector<std::string>{"", ""}, ","), ",");
}

TEST(Fixed, RoundsToDecimals) {
  EXPECT_EQ(Fixed(2.345, 2), "2.35");
  EXPECT_EQ(Fixed(-0.5, 0), "-0");
  EXPECT_EQ(Fixed(1e300, 1).size(), 303u) << "longer than any buffer of usual size";
}

TEST(WithCommas, GroupsByThousands) {
  EXPECT_EQ(WithCommas(0), "0");
  EXPECT_EQ(WithCommas(999), "999");
  EXPECT_EQ(WithCommas(1000), "1,000");
  EXPECT_EQ(WithCommas(91000312), "91,000,312");
  EXPECT_EQ(WithCommas(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
}

TEST(Strings, LowersLettersOfAsciiAlone) {
  EXPECT_EQ(AsciiLower("Content-TYPE [@Z{] \xc3\x84"), "content-type [@z{] \xc3\x84");
  EXPECT_EQ(AsciiLower('Q'), 'q');
}

}  // namespace
}  // namespace hone::base
