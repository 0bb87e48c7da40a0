#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "base/strings.h"

namespace hone::tensor {
namespace {

template <typename T, typename Widen>
void Convert(const std::byte* from, std::span<float> out, Widen widen) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T element;
    std::memcpy(&element, from + i * sizeof(T), sizeof(T));
    out[i] = widen(element);
  }
}

}  // namespace

Shape::Shape(std::initializer_list<std::int64_t> dims)
    : Shape(std::span<const std::int64_t>(dims.begin(), dims.size())) {}

Shape::Shape(std::span<const std::int64_t> dims) : rank_(static_cast<int>(dims.size())) {
  HONE_CHECK(rank_ <= kMaxRank);
  std::copy(dims.begin(), dims.end(), dims_.begin());
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (const std::int64_t dim : dims()) product *= dim;
  return product;
}

bool Shape::operator==(const Shape& other) const {
  return std::ranges::equal(dims(), other.dims());
}

std::string Shape::ToString() const {
  return "[" + base::Join(dims(), ", ") + "]";
}

void CopyToF32(const TensorView& tensor, std::int64_t begin, std::span<float> out) {
  HONE_CHECK(begin >= 0 &&
             begin + static_cast<std::int64_t>(out.size()) <= tensor.shape.elements());
  if (out.empty()) return;  // neither pointer need be valid then
  const std::byte* from = tensor.data + static_cast<std::size_t>(begin) * SizeOf(tensor.dtype);
  const auto cast = [](auto x) { return static_cast<float>(x); };
  switch (tensor.dtype) {
    case DType::kF32: std::memcpy(out.data(), from, out.size_bytes()); return;
    case DType::kF64: return Convert<double>(from, out, cast);
    case DType::kF16: return Convert<std::uint16_t>(from, out, F16ToF32);
    case DType::kBF16: return Convert<std::uint16_t>(from, out, BF16ToF32);
    case DType::kI64: return Convert<std::int64_t>(from, out, cast);
    case DType::kI32: return Convert<std::int32_t>(from, out, cast);
    case DType::kI16: return Convert<std::int16_t>(from, out, cast);
    case DType::kI8: return Convert<std::int8_t>(from, out, cast);
    case DType::kU8:
    case DType::kBool: return Convert<std::uint8_t>(from, out, cast);
  }
}

}  // namespace hone::tensor
