#include "quant/two_level.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "quant/int4.h"

namespace hone::quant {
namespace {

// Whatever scale and s a row had, the pair that is found gives the same group scales, bit for bit.
TEST(TwoLevel, RecoversEveryProductOfTwoLevels) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-12, 2);
  for (int round = 0; round < 20000; ++round) {
    const float scale = std::exp2(uniform(random));
    std::vector<float> groups(1 + random() % 48);
    // Some rows use few of the factors, so that no group has s = 1.
    const unsigned least = 1 + random() % kMaxGroupScale;
    for (float& x : groups) {
      x = scale * static_cast<float>(least + random() % (kMaxGroupScale + 1 - least));
    }
    float found = 0;
    std::vector<std::uint8_t> s(groups.size());
    ASSERT_TRUE(TwoLevelFromGroupScales(groups, &found, s)) << scale << " " << least;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      ASSERT_TRUE(s[g] >= 1 && s[g] <= kMaxGroupScale);
      ASSERT_EQ(found * static_cast<float>(s[g]), groups[g]);
    }
  }
}

TEST(TwoLevel, FindsNoneForOtherPeoplesScales) {
  float scale = 0;
  std::vector<std::uint8_t> s(3);
  EXPECT_FALSE(TwoLevelFromGroupScales(std::vector<float>{0.1f, 0.1234f, 0.07f}, &scale, s));
  EXPECT_FALSE(TwoLevelFromGroupScales(std::vector<float>{1, 9, 1}, &scale, s)) << "ratio above 8";
  EXPECT_FALSE(TwoLevelFromGroupScales(std::vector<float>{1, 0, 1}, &scale, s));
  EXPECT_FALSE(TwoLevelFromGroupScales(std::vector<float>{1, -1, 1}, &scale, s));
  EXPECT_FALSE(TwoLevelFromGroupScales(std::vector<float>{1, NAN, 1}, &scale, s));
  EXPECT_FALSE(TwoLevelFromGroupScales(std::vector<float>{INFINITY, 1, 1}, &scale, s));
}

TEST(TwoLevel, ARowOfZerosHasScaleZero) {
  float scale = 1;
  std::vector<std::uint8_t> s(2);
  EXPECT_TRUE(TwoLevelFromGroupScales(std::vector<float>{0, 0}, &scale, s));
  EXPECT_EQ(scale, 0);
  EXPECT_EQ(s, (std::vector<std::uint8_t>{1, 1}));
}

}  // namespace
}  // namespace hone::quant
