#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace hone::tensor {
namespace {

TEST(Shape, CountsComparesAndPrints) {
  EXPECT_EQ(Shape().elements(), 1) << "rank 0 is one number";
  EXPECT_EQ(Shape().ToString(), "[]");
  const Shape shape{384, 1536};
  EXPECT_EQ(shape.rank(), 2);
  EXPECT_EQ(shape[1], 1536);
  EXPECT_EQ(shape.elements(), 589824);
  EXPECT_EQ(shape.ToString(), "[384, 1536]");
  EXPECT_EQ(shape, (Shape{384, 1536}));
  EXPECT_FALSE(shape == (Shape{1536, 384}));
  EXPECT_FALSE((Shape{2}) == (Shape{2, 1}));
  EXPECT_EQ((Shape{3, 0, 5}).elements(), 0);
}

TEST(ShapeDeathTest, RefusesMoreDimensionsThanItHolds) {
  EXPECT_EQ((Shape{1, 2, 3, 4, 5, 6}).rank(), Shape::kMaxRank);
  EXPECT_DEATH((Shape{1, 2, 3, 4, 5, 6, 7}), "check failed");
}

template <typename T>
std::vector<float> Widened(DType dtype, std::vector<T> values, std::int64_t begin,
                           std::size_t count) {
  // One byte off, as a tensor in a file may lie.
  std::vector<std::byte> bytes(values.size() * sizeof(T) + 1);
  std::memcpy(bytes.data() + 1, values.data(), values.size() * sizeof(T));
  const TensorView view{bytes.data() + 1, dtype, Shape{static_cast<std::int64_t>(values.size())}};
  EXPECT_EQ(view.bytes(), values.size() * SizeOf(dtype));
  std::vector<float> out(count);
  CopyToF32(view, begin, out);
  return out;
}

TEST(CopyToF32, ConvertsEveryTypeUnaligned) {
  const std::vector<float> expected = {-2, 3};
  EXPECT_EQ(Widened<double>(DType::kF64, {9, -2, 3}, 1, 2), expected);
  EXPECT_EQ(Widened<float>(DType::kF32, {9, -2, 3}, 1, 2), expected);
  EXPECT_EQ(Widened<std::uint16_t>(DType::kF16, {0, 0xC000, 0x4200}, 1, 2), expected);
  EXPECT_EQ(Widened<std::uint16_t>(DType::kBF16, {0, 0xC000, 0x4040}, 1, 2), expected);
  EXPECT_EQ(Widened<std::int64_t>(DType::kI64, {9, -2, 3}, 1, 2), expected);
  EXPECT_EQ(Widened<std::int32_t>(DType::kI32, {9, -2, 3}, 1, 2), expected);
  EXPECT_EQ(Widened<std::int16_t>(DType::kI16, {9, -2, 3}, 1, 2), expected);
  EXPECT_EQ(Widened<std::int8_t>(DType::kI8, {9, -2, 3}, 1, 2), expected);
  EXPECT_EQ(Widened<std::uint8_t>(DType::kU8, {9, 200}, 1, 1), std::vector<float>{200});
  EXPECT_EQ(Widened<std::uint8_t>(DType::kBool, {0, 1}, 0, 2), (std::vector<float>{0, 1}));
  EXPECT_TRUE(Widened<float>(DType::kF32, {1}, 1, 0).empty());
}

TEST(CopyToF32DeathTest, RefusesElementsThatAreNotThere) {
  EXPECT_DEATH(Widened<float>(DType::kF32, {1, 2}, 1, 2), "check failed");
  EXPECT_DEATH(Widened<float>(DType::kF32, {1, 2}, -1, 1), "check failed");
}

}  // namespace
}  // namespace hone::tensor
