#include "quant/int8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace hone::quant {
namespace {

TEST(Int8, ErrorIsAtMostHalfAStep) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.05f);
  for (const int k : {1, 2, 3, 17, 64, 384, 1535}) {
    std::vector<float> row(static_cast<std::size_t>(k)), back(row.size());
    for (float& w : row) w = normal(random);
    std::vector<std::int8_t> q(row.size());
    const float scale = QuantizeInt8Row(row, q);
    DequantizeInt8Row(q, scale, back);
    for (std::size_t i = 0; i < row.size(); ++i) {
      // A few roundings of f32 beside the half step.
      ASSERT_LE(std::abs(row[i] - back[i]), scale * (0.5f + 1e-4f)) << k << " " << i;
    }
    EXPECT_EQ(std::abs(*std::ranges::max_element(
                  q, {}, [](std::int8_t v) { return std::abs(static_cast<int>(v)); })),
              127)
        << "the largest weight uses the whole range";
  }
}

TEST(Int8, NeverUsesMinus128) {
  const std::vector<float> row = {-1.0f, 1.0f, -0.999f, 0.5f};
  std::vector<std::int8_t> q(row.size());
  QuantizeInt8Row(row, q);
  EXPECT_EQ(q, (std::vector<std::int8_t>{-127, 127, -127, 64}));
}

TEST(Int8, HalvesGoToEven) {
  // The scale is 1, exactly.
  const std::vector<float> row = {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f};
  std::vector<std::int8_t> q(row.size());
  EXPECT_EQ(QuantizeInt8Row(row, q), 1.0f);
  EXPECT_EQ(q, (std::vector<std::int8_t>{127, 0, 2, 2, 0, -2}));
}

TEST(Int8, RowsOfZerosAndOfNextToNothingAreZero) {
  for (const float w : {0.0f, std::numeric_limits<float>::denorm_min(), 1e-36f}) {
    const std::vector<float> row = {w, -w, 0};
    std::vector<std::int8_t> q(row.size(), 5);
    EXPECT_EQ(QuantizeInt8Row(row, q), 0.0f);
    EXPECT_EQ(q, (std::vector<std::int8_t>{0, 0, 0}));
  }
}

TEST(Int8, TheLargestFloatsStayFinite) {
  const float max = std::numeric_limits<float>::max();
  const std::vector<float> row = {max, -max, max / 2};
  std::vector<std::int8_t> q(row.size());
  const float scale = QuantizeInt8Row(row, q);
  EXPECT_TRUE(std::isfinite(scale));
  EXPECT_EQ(q[0], 127);
  EXPECT_EQ(q[1], -127);
}

TEST(Int8, MatricesAreRowsOnTheirOwn) {
  const std::vector<float> weights = {1, -2, 0, 0, 30, 10};
  const Int8Matrix matrix = QuantizeInt8(weights, 3, 2);
  EXPECT_EQ(matrix.values, (std::vector<std::int8_t>{64, -127, 0, 0, 127, 42}));
  EXPECT_EQ(matrix.scale[1], 0.0f);
  EXPECT_FLOAT_EQ(matrix.scale[2], 30.0f / 127);
}

}  // namespace
}  // namespace hone::quant
