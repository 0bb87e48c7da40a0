#include "kernels/embedding/embedding.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace hone::kernels {
namespace {

using tensor::DType;

// A table of `rows` × `width` that begins at an odd address.
class Table {
 public:
  Table(DType dtype, int rows, int width, unsigned seed) : dtype_(dtype) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    bytes_.resize(1);
    for (int i = 0; i < rows * width; ++i) {
      const float value = normal(random);
      if (dtype == DType::kF32) Append(value);
      if (dtype == DType::kF16) Append(tensor::F16FromF32(value));
      if (dtype == DType::kBF16) Append(tensor::BF16FromF32(value));
    }
  }
  EmbeddingTable view() const { return {bytes_.data() + 1, dtype_}; }

 private:
  template <typename T>
  void Append(T value) {
    bytes_.resize(bytes_.size() + sizeof value);
    std::memcpy(bytes_.data() + bytes_.size() - sizeof value, &value, sizeof value);
  }
  DType dtype_;
  std::vector<std::byte> bytes_;
};

constexpr int kTokens = 5;
const std::int32_t kIds[kTokens] = {6, 0, 6, 3, 1};
const std::int32_t kPositions[kTokens] = {2, 3, 4, 0, 1};
const std::int32_t kTypes[kTokens] = {0, 0, 1, 1, 0};

std::vector<float> EmbedWith(void (*embed)(const EmbeddingArgs&), EmbeddingArgs args) {
  args.ids = kIds;
  args.positions = kPositions;
  args.types = kTypes;
  args.tokens = kTokens;
  args.out_stride = args.width + 2;
  std::vector<float> out(static_cast<std::size_t>(kTokens * args.out_stride), -7.0f);
  args.out = out.data();
  embed(args);
  return out;
}

TEST(Embed, EqualsTheReferenceInEveryFormatAndWidth) {
  for (const DType dtype : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const int width : {1, 2, 3, 7, 16, 17, 63, 64, 65, 255, 256, 257, 384, 600}) {
      const Table word(dtype, 7, width, 1), position(dtype, 5, width, 2), type(dtype, 2, width, 3);
      EmbeddingArgs args;
      args.width = width;
      args.word = word.view();
      args.position = position.view();
      args.type = type.view();
      ASSERT_EQ(EmbedWith(Embed, args), EmbedWith(EmbedRef, args))
          << tensor::NameOf(dtype) << " width " << width;
    }
  }
}

// A quantised table of random bytes: every value, scale and zero there can be.
struct QuantizedTable {
  std::vector<std::byte> values, scale, zero;
  EmbeddingTable view;

  QuantizedTable(DType dtype, DType scale_dtype, int group, int rows, int width, unsigned seed) {
    std::mt19937 random(seed);
    const int groups = dtype == DType::kI8 ? 1 : (width + group - 1) / group;
    const auto fill = [&](int bytes, std::vector<std::byte>* out) {
      out->resize(static_cast<std::size_t>(bytes) + 1);  // used from an odd address
      for (std::byte& b : *out) b = static_cast<std::byte>(random());
    };
    const int row_bytes = dtype == DType::kI8 ? width : (width + 7) / 8 * 4;
    fill(rows * row_bytes, &values);
    fill((rows + 7) / 8 * groups * 4, &zero);
    scale.resize(1);
    for (int i = 0; i < rows * groups; ++i) {
      const float value = static_cast<float>(random() % 1000) / 500.0f;
      const auto append = [&](auto bits) {
        scale.resize(scale.size() + sizeof bits);
        std::memcpy(scale.data() + scale.size() - sizeof bits, &bits, sizeof bits);
      };
      if (scale_dtype == DType::kF32) append(value);
      if (scale_dtype == DType::kF16) append(tensor::F16FromF32(value));
      if (scale_dtype == DType::kBF16) append(tensor::BF16FromF32(value));
    }
    view = {.data = values.data() + 1,
            .dtype = dtype,
            .scale = scale.data() + 1,
            .scale_dtype = scale_dtype,
            .zero = seed % 2 == 0 ? nullptr : zero.data() + 1,
            .group = group};
  }
};

TEST(Embed, QuantizedTablesEqualTheReference) {
  for (const DType dtype : {DType::kI8, DType::kI32}) {
    for (const DType scale : {DType::kF32, DType::kF16, DType::kBF16}) {
      for (const int width : {1, 3, 31, 32, 33, 64, 257, 384, 600}) {
        for (const int group : {32, 300}) {
          const QuantizedTable word(dtype, scale, group, 7, width, 1);
          const QuantizedTable position(dtype, scale, group, 5, width, 2);
          const Table type(DType::kF16, 2, width, 3);
          EmbeddingArgs args;
          args.width = width;
          args.word = word.view;
          args.position = position.view;
          args.type = type.view();
          const std::vector<float> fast = EmbedWith(Embed, args), slow = EmbedWith(EmbedRef, args);
          for (std::size_t i = 0; i < fast.size(); ++i) {
            // Without FMA the products are rounded too, half a unit of |scale · q| ≤ 2 · 127 each,
            // and may tip the rounding of the sum, whose unit is 3.1e-5 from 256 to 512.
            ASSERT_NEAR(fast[i], slow[i], 6.5e-5f)
                << tensor::NameOf(dtype) << " width " << width << " group " << group << " at " << i;
          }
        }
      }
    }
  }
}

TEST(Embed, Int4ReadsTheZeroOfItsOwnRow) {
  // Row r has q = 15 everywhere and zero r: values 15 - r. Zeros of eight rows share a word.
  constexpr int kRows = 7;
  std::vector<std::byte> values(kRows * 4, std::byte{0xFF}), zero(4);
  const std::uint32_t zeros = 0x76543210;
  std::memcpy(zero.data(), &zeros, sizeof zeros);
  std::vector<float> scale(kRows, 0.5f);
  EmbeddingArgs args;
  args.width = 8;
  args.word = {.data = values.data(),
               .dtype = DType::kI32,
               .scale = reinterpret_cast<const std::byte*>(scale.data()),
               .zero = zero.data(),
               .group = 32};
  const std::vector<float> out = EmbedWith(Embed, args);
  for (std::size_t t = 0; t < kTokens; ++t) {
    EXPECT_EQ(out[t * 10], 0.5f * static_cast<float>(15 - kIds[t]));
  }
}

TEST(Embed, LeavesOutAbsentTables) {
  const Table word(DType::kF32, 7, 20, 1), type(DType::kBF16, 2, 20, 3);
  for (const int present : {0, 1, 2, 3}) {
    EmbeddingArgs args;
    args.width = 20;
    if (present & 1) args.word = word.view();
    if (present & 2) args.type = type.view();
    const auto out = EmbedWith(Embed, args);
    ASSERT_EQ(out, EmbedWith(EmbedRef, args)) << present;
    if (present == 0) {
      EXPECT_EQ(out[0], 0.0f);
    }
  }
}

}  // namespace
}  // namespace hone::kernels
