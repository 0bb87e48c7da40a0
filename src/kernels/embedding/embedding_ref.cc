#include <cmath>
#include <cstring>

#include "base/check.h"
#include "kernels/embedding/embedding.h"

namespace hone::kernels {
float FloatAt(const std::byte* data, tensor::DType dtype, std::size_t index) {
  const std::byte* at = data + index * tensor::SizeOf(dtype);
  if (dtype == tensor::DType::kF32) {
    float value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  HONE_CHECK(dtype == tensor::DType::kF16 || dtype == tensor::DType::kBF16);
  std::uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return dtype == tensor::DType::kF16 ? tensor::F16ToF32(bits) : tensor::BF16ToF32(bits);
}

int ZeroAt(const EmbeddingTable& table, std::size_t row, std::size_t group, std::size_t groups) {
  if (table.zero == nullptr) return 8;
  std::uint32_t word;
  std::memcpy(&word, table.zero + (row / 8 * groups + group) * sizeof word, sizeof word);
  return static_cast<int>(word >> (4 * (row % 8)) & 15);
}

namespace {

// sum + table[row, i]
float AddElement(const EmbeddingTable& table, std::size_t row, std::size_t i, std::size_t width,
                 float sum) {
  if (table.dtype == tensor::DType::kI8) {
    const auto q = static_cast<std::int8_t>(table.data[row * width + i]);
    return std::fma(FloatAt(table.scale, table.scale_dtype, row), static_cast<float>(q), sum);
  }
  if (table.dtype == tensor::DType::kI32) {
    const auto group = static_cast<std::size_t>(table.group);
    const std::size_t groups = (width + group - 1) / group, g = i / group;
    const std::size_t row_bytes = (width + 7) / 8 * 4;
    const int pair = static_cast<int>(table.data[row * row_bytes + i / 2]);
    const int q = (pair >> (i % 2 * 4) & 15) - ZeroAt(table, row, g, groups);
    return std::fma(FloatAt(table.scale, table.scale_dtype, row * groups + g),
                    static_cast<float>(q), sum);
  }
  return sum + FloatAt(table.data, table.dtype, row * width + i);
}

}  // namespace

void EmbedRef(const EmbeddingArgs& args) {
  for (int t = 0; t < args.tokens; ++t) {
    for (int i = 0; i < args.width; ++i) {
      float sum = 0;
      const auto add = [&](const EmbeddingTable& table, const std::int32_t* indices) {
        if (table.data == nullptr) return;
        sum = AddElement(table, static_cast<std::size_t>(indices[t]), static_cast<std::size_t>(i),
                         static_cast<std::size_t>(args.width), sum);
      };
      add(args.word, args.ids);
      add(args.position, args.positions);
      add(args.type, args.types);
      args.out[t * args.out_stride + i] = sum;
    }
  }
}

}  // namespace hone::kernels
