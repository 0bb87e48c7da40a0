#include <cstring>

#include "base/check.h"
#include "kernels/embedding/embedding.h"

namespace hone::kernels {
namespace {

float Element(const EmbeddingTable& table, std::size_t index) {
  const std::byte* at = table.data + index * tensor::SizeOf(table.dtype);
  if (table.dtype == tensor::DType::kF32) {
    float value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  HONE_CHECK(table.dtype == tensor::DType::kF16 || table.dtype == tensor::DType::kBF16);
  std::uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return table.dtype == tensor::DType::kF16 ? tensor::F16ToF32(bits) : tensor::BF16ToF32(bits);
}

}  // namespace

void EmbedRef(const EmbeddingArgs& args) {
  for (int t = 0; t < args.tokens; ++t) {
    for (int i = 0; i < args.width; ++i) {
      float sum = 0;
      const auto add = [&](const EmbeddingTable& table, const std::int32_t* indices) {
        if (table.data == nullptr) return;
        const auto row = static_cast<std::size_t>(indices[t]);
        sum += Element(table,
                       row * static_cast<std::size_t>(args.width) + static_cast<std::size_t>(i));
      };
      add(args.word, args.ids);
      add(args.position, args.positions);
      add(args.type, args.types);
      args.out[t * args.out_stride + i] = sum;
    }
  }
}

}  // namespace hone::kernels
