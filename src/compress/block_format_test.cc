#include "compress/block_format.h"

#include <gtest/gtest.h>

namespace hone::compress {
namespace {

using quant::Format;

TEST(BlockFormat, ReadsTheNameThatItWrites) {
  for (const Format in : {Format::kF32, Format::kBF16, Format::kInt8, Format::kInt4}) {
    for (const Format out : {Format::kF32, Format::kBF16, Format::kInt8, Format::kInt4}) {
      const BlockFormat format{in, out};
      const auto read = ParseBlockFormat(NameOf(format));
      ASSERT_TRUE(read.ok()) << read.status();
      EXPECT_EQ(*read, format) << NameOf(format);
    }
  }
  EXPECT_EQ(NameOf({Format::kInt8, Format::kInt8}), "int8");
  EXPECT_EQ(NameOf({Format::kInt4, Format::kInt8}), "int4+int8");
  for (const char* wrong : {"", "f16", "int8+", "+int8", "int8+int4+int8"}) {
    EXPECT_FALSE(ParseBlockFormat(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace hone::compress
