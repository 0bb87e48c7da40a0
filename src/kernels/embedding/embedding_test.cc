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
