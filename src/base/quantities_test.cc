#include "base/quantities.h"

#include <gtest/gtest.h>

namespace hone::base {
namespace {

TEST(Quantities, HaveUnitsAndBounds) {
  EXPECT_EQ(*ParseBytes("512MiB"), 512u << 20);
  EXPECT_EQ(*ParseBytes("512M"), 512u << 20);
  EXPECT_EQ(*ParseBytes("1.5 GB"), 1'500'000'000u);
  EXPECT_EQ(*ParseBytes("4096"), 4096u);
  for (const char* wrong : {"", "MiB", "0", "-1", "1e3", "5mib", "nan", "inf", "99999999TiB"}) {
    EXPECT_FALSE(ParseBytes(wrong).ok()) << wrong;
  }
}

TEST(Durations, AddUpNumbersWithUnits) {
  const auto seconds = [](const char* text) {
    return static_cast<double>(*ParseDuration(text, BareNumber::kRefused)) / kSecondNs;
  };
  EXPECT_EQ(seconds("500us"), 5e-4);
  EXPECT_EQ(seconds("20ms"), 0.02);
  EXPECT_EQ(seconds("1.5s"), 1.5);
  EXPECT_EQ(seconds("45s"), 45);
  EXPECT_EQ(seconds("90m"), 5400);
  EXPECT_EQ(seconds("0.5h"), 1800);
  EXPECT_EQ(seconds("2h"), 7200);
  EXPECT_EQ(seconds("1h30m"), 5400);
  EXPECT_EQ(seconds("1m.5s"), 60.5);
  for (const char* wrong : {"",    "5",    "h",      "s",    "0s",      "-1s",         "1h-1m",
                            "1 s", "2 h",  "1d",     "2h30", "30.1.2s", "nan",         "nans",
                            "inf", "infs", "1e400s", "1e9h", "9000h",   "99999999999h"}) {
    EXPECT_FALSE(ParseDuration(wrong, BareNumber::kRefused).ok()) << wrong;
  }
}

TEST(Durations, ABareNumberHasTheUnitThatTheCallerNames) {
  EXPECT_EQ(*ParseDuration("600", BareNumber::kSeconds), 600 * kSecondNs);
  EXPECT_EQ(*ParseDuration("20", BareNumber::kMilliseconds), 20 * kMillisecondNs);
  EXPECT_EQ(*ParseDuration("1h30m", BareNumber::kSeconds), 5400 * kSecondNs);
  for (const char* wrong : {"", "0", "-1", "2h30", "2 h", "nan", "1e400", "99999999999"}) {
    EXPECT_FALSE(ParseDuration(wrong, BareNumber::kSeconds).ok()) << wrong;
  }
}

}  // namespace
}  // namespace hone::base
