// A typed, shaped, row-major look at bytes that somebody else owns (a mapped file, a buffer).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "tensor/dtype.h"

namespace hone::tensor {

// Dimensions, outermost first. Limits: kMaxRank dimensions; a longer list is a CHECK.
class Shape {
 public:
  static constexpr int kMaxRank = 6;

  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims);
  explicit Shape(std::span<const std::int64_t> dims);

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return dims_[static_cast<std::size_t>(axis)]; }
  std::span<const std::int64_t> dims() const {
    return {dims_.data(), static_cast<std::size_t>(rank_)};
  }
  std::int64_t elements() const;  // 1 for rank 0
  bool operator==(const Shape& other) const;
  std::string ToString() const;  // "[384, 1536]"

 private:
  std::array<std::int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

// Non-owning. `data` need not be aligned to the element: safetensors promises no alignment, so As is for bytes and
// for memory of ours; all else is read by memcpy or CopyToF32.
struct TensorView {
  const std::byte* data = nullptr;
  DType dtype = DType::kF32;
  Shape shape;

  bool empty() const { return data == nullptr; }
  std::size_t bytes() const { return static_cast<std::size_t>(shape.elements()) * SizeOf(dtype); }
  template <typename T>
  const T* As() const {
    return reinterpret_cast<const T*>(data);
  }
};

// Widens F64, F32, F16, BF16 (and converts I8, U8, I32, I64) to f32.
// HONE_CHECKs that the tensor has elements [begin, begin+out.size()).
void CopyToF32(const TensorView& tensor, std::int64_t begin, std::span<float> out);

}  // namespace hone::tensor
