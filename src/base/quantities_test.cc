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
  EXPECT_EQ(*ParseDurationMs("20"), 20);
  EXPECT_EQ(*ParseDurationMs("800us"), 0.8);
  EXPECT_EQ(*ParseDurationMs("1.5s"), 1500);
  EXPECT_EQ(*ParseDurationMs("10m"), 600e3);
  for (const char* wrong : {"", "s", "0s", "-1s", "25h", "1d", "nan", "inf"}) {
    EXPECT_FALSE(ParseDurationMs(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace hone::base
