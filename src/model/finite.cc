#include "model/finite.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

namespace hone::model {
namespace {

using tensor::DType;
using tensor::TensorView;

// True where any of `count` elements has every bit of `exponent` set: that is what NaN and infinity
// are. A plain reduction over blocks, which the compiler vectorises; unaligned reads go through
// memcpy.
template <typename Bits>
bool AnySpecial(const std::byte* data, std::int64_t count, Bits exponent) {
  constexpr std::int64_t kBlock = 1024;
  Bits block[kBlock];
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const auto size = static_cast<std::size_t>(std::min(kBlock, count - begin));
    std::memcpy(block, data + static_cast<std::size_t>(begin) * sizeof(Bits), size * sizeof(Bits));
    unsigned found = 0;
    for (std::size_t i = 0; i < size; ++i) found |= (block[i] & exponent) == exponent;
    if (found != 0) return true;
  }
  return false;
}

bool AnySpecial(const TensorView& tensor) {
  const std::int64_t count = tensor.shape.elements();
  switch (tensor.dtype) {
    case DType::kF64: return AnySpecial<std::uint64_t>(tensor.data, count, 0x7FF0000000000000);
    case DType::kF32: return AnySpecial<std::uint32_t>(tensor.data, count, 0x7F800000);
    case DType::kF16: return AnySpecial<std::uint16_t>(tensor.data, count, 0x7C00);
    case DType::kBF16: return AnySpecial<std::uint16_t>(tensor.data, count, 0x7F80);
    default: return false;
  }
}

// Where `index` lies in a tensor of this shape: "[3, 17]".
std::string Place(const tensor::Shape& shape, std::int64_t index) {
  std::vector<std::int64_t> place(static_cast<std::size_t>(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    place[static_cast<std::size_t>(axis)] = index % shape[axis];
    index /= shape[axis];
  }
  return base::StrCat("[", base::Join(place, ", "), "]");
}

}  // namespace

base::Status CheckFinite(const TensorView& tensor, std::string_view name) {
  if (tensor.empty() || !AnySpecial(tensor)) return base::OkStatus();
  for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
    float value = 0;
    CopyToF32(tensor, i, {&value, 1});
    if (std::isfinite(value)) continue;
    return base::BadInput("tensor \"", name, "\": element ", Place(tensor.shape, i), " is ", value,
                          "; expected finite weights");
  }
  return base::OkStatus();
}

base::Status CheckFinite(const formats::StoredMatrix& matrix) {
  if (matrix.kind == formats::StoredKind::kFloat) {
    return CheckFinite(matrix.values, base::StrCat(matrix.name, ".weight"));
  }
  return CheckFinite(matrix.scale, base::StrCat(matrix.name, ".weight_scale"));
}

}  // namespace hone::model
