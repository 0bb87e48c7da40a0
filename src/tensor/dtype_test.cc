#include "tensor/dtype.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace hone::tensor {
namespace {

constexpr DType kAll[] = {DType::kF64, DType::kF32, DType::kF16, DType::kBF16, DType::kI64,
                          DType::kI32, DType::kI16, DType::kI8,  DType::kU8,   DType::kBool};

TEST(DType, SizesFollowTheNames) {
  for (const DType dtype : kAll) {
    const std::string_view name = NameOf(dtype);
    const std::size_t digits = name.find_first_of("0123456789");
    const std::size_t bits =
        digits == std::string_view::npos ? 8 : std::stoul(std::string(name.substr(digits)));
    EXPECT_EQ(SizeOf(dtype) * 8, bits) << name;
  }
}

// From the definition: sign, 5 bits of exponent with bias 15, 10 of fraction.
double F16ByDefinition(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double sign = bits >> 15 != 0 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(F16, WidensEveryValueAsDefinedAndBack) {
  for (std::uint32_t i = 0; i <= 0xFFFF; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float wide = F16ToF32(bits);
    const double defined = F16ByDefinition(bits);
    if (std::isnan(defined)) {
      ASSERT_TRUE(std::isnan(wide) && std::isnan(F16ToF32(F16FromF32(wide)))) << i;
      continue;
    }
    ASSERT_EQ(static_cast<double>(wide), defined) << i;
    ASSERT_EQ(std::signbit(wide), bits >> 15 != 0) << i;
    ASSERT_EQ(F16FromF32(wide), bits) << i;
  }
}

// Between each two neighbours: just below, at and just above the middle.
TEST(F16, RoundsToNearestEvenBetweenAllNeighbours) {
  for (std::uint16_t low = 0; low < 0x7BFF; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const float middle = (F16ToF32(low) + F16ToF32(high)) / 2;  // exact: one bit more
    const std::uint16_t even = low % 2 == 0 ? low : high;
    ASSERT_EQ(F16FromF32(middle), even) << low;
    ASSERT_EQ(F16FromF32(-middle), even | 0x8000) << low;
    ASSERT_EQ(F16FromF32(std::nextafter(middle, 0.0f)), low) << low;
    ASSERT_EQ(F16FromF32(std::nextafter(middle, 1e9f)), high) << low;
  }
  EXPECT_EQ(F16FromF32(std::nextafter(65520.0f, 0.0f)), 0x7BFF) << "65,504, the largest";
  EXPECT_EQ(F16FromF32(65520.0f), 0x7C00) << "half a step further is infinity";
  EXPECT_EQ(F16FromF32(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(BF16, WidensAndNarrowsEveryValue) {
  for (std::uint32_t i = 0; i <= 0xFFFF; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float wide = BF16ToF32(bits);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(wide), i << 16);
    if (std::isnan(wide)) {
      ASSERT_TRUE(std::isnan(BF16ToF32(BF16FromF32(wide)))) << i;
    } else {
      ASSERT_EQ(BF16FromF32(wide), bits) << i;
    }
  }
}

TEST(BF16, RoundsToNearestEvenBetweenAllNeighbours) {
  for (std::uint32_t low = 0; low < 0x7F7F; ++low) {
    const std::uint32_t middle = low << 16 | 0x8000;
    const std::uint32_t even = low + low % 2;
    ASSERT_EQ(BF16FromF32(std::bit_cast<float>(middle)), even) << low;
    ASSERT_EQ(BF16FromF32(std::bit_cast<float>(middle - 1)), low) << low;
    ASSERT_EQ(BF16FromF32(std::bit_cast<float>(middle + 1)), low + 1) << low;
    ASSERT_EQ(BF16FromF32(std::bit_cast<float>(middle | 0x80000000)), even | 0x8000) << low;
  }
  EXPECT_EQ(BF16FromF32(std::numeric_limits<float>::max()), 0x7F80) << "rounds up to infinity";
  EXPECT_EQ(BF16FromF32(INFINITY), 0x7F80);
  // A NaN whose upper fraction bits are zero must not become an infinity.
  EXPECT_TRUE(std::isnan(BF16ToF32(BF16FromF32(std::bit_cast<float>(0x7F800001u)))));
}

}  // namespace
}  // namespace hone::tensor
