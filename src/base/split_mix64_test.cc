#include "base/split_mix64.h"

#include <gtest/gtest.h>

#include "base/fnv1a.h"

namespace hone::base {
namespace {

// Vigna's splitmix64.c, as other libraries quote it.
TEST(SplitMix64, GivesTheNumbersOfTheOriginal) {
  SplitMix64 zero(0);
  EXPECT_EQ(zero.Next(), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(zero.Next(), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(zero.Next(), 0x06C45D188009454Fu);
  SplitMix64 other(1234567);
  EXPECT_EQ(other.Next(), 6457827717110365317u);
  EXPECT_EQ(other.Next(), 3203168211198807973u);
  EXPECT_EQ(other.Next(), MixBits(1234567 + 3 * kSplitMixStep));
}

TEST(SplitMix64, StaysWithinItsBounds) {
  SplitMix64 random(3);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_LT(random.Below(7), 7u);
    const double unit = random.Unit();
    EXPECT_TRUE(unit >= 0 && unit < 1) << unit;
  }
}

// The test vectors of its authors.
TEST(Fnv1a, GivesThePublishedHashes) {
  EXPECT_EQ(Fnv1a(""), 0xCBF29CE484222325u);
  EXPECT_EQ(Fnv1a("a"), 0xAF63DC4C8601EC8Cu);
  EXPECT_EQ(Fnv1a("foobar"), 0x85944171F73967E8u);
  EXPECT_EQ(Fnv1a("bar", Fnv1a("foo")), Fnv1a("foobar"));
}

}  // namespace
}  // namespace hone::base
