// Element types as they lie in files and memory, and the 16-bit floats as scalars.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hone::tensor {

enum class DType : std::uint8_t { kF64, kF32, kF16, kBF16, kI64, kI32, kI16, kI8, kU8, kBool };

std::size_t SizeOf(DType dtype);       // bytes an element
std::string_view NameOf(DType dtype);  // safetensors' names: "F32", "BF16", "I8", …

// bfloat16: the upper half of an f32. FromF32 rounds to nearest even and keeps NaN a NaN.
float BF16ToF32(std::uint16_t bits);
std::uint16_t BF16FromF32(float value);

// IEEE 754 binary16, subnormals and infinities included.
float F16ToF32(std::uint16_t bits);
std::uint16_t F16FromF32(float value);

}  // namespace hone::tensor
