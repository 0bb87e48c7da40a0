#include "base/float_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>

namespace hone::base {
namespace {

std::string Text(float x) {
  char buffer[kLongestFloat];
  return std::string(buffer, WriteFloat(buffer, x));
}

void ExpectReadsBack(float x) {
  const std::string text = Text(x);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(std::strtof(text.c_str(), nullptr)),
            std::bit_cast<std::uint32_t>(x))
      << text;
  EXPECT_LE(text.size(), kLongestFloat);
}

TEST(FloatText, IsShortWhereTheNumberIs) {
  EXPECT_EQ(Text(0.5F), "0.5");
  EXPECT_EQ(Text(-0.125F), "-0.125");
  EXPECT_EQ(Text(0.1F), "0.1");
  EXPECT_EQ(Text(0.001F), "0.001");
  EXPECT_EQ(Text(0), "0");
  EXPECT_EQ(Text(3), "3");
}

TEST(FloatText, ReadsBackAtEveryBorder) {
  using Limits = std::numeric_limits<float>;
  for (const float x : {1.0F, 0.1F, 0.01F, 0.001F, 1e-4F, 1e-5F, 0.5F, 0.0625F, 0.0078125F, 1e9F,
                        Limits::min(), Limits::max(), Limits::denorm_min()}) {
    for (const float near : {x, std::nextafter(x, 0.0F), std::nextafter(x, Limits::infinity())}) {
      if (!std::isfinite(near)) continue;
      ExpectReadsBack(near);
      ExpectReadsBack(-near);
    }
  }
}

TEST(FloatText, ReadsBackAcrossTheRangeOfUnitVectors) {
  const auto first = std::bit_cast<std::uint32_t>(1e-4F), last = std::bit_cast<std::uint32_t>(1.0F);
  constexpr std::uint32_t kStride = 997;  // a prime: no pattern of low bits is left out
  for (std::uint32_t bits = first; bits < last; bits += kStride) {
    ExpectReadsBack(std::bit_cast<float>(bits));
  }
}

}  // namespace
}  // namespace hone::base
