// The number formats a weight matrix can be multiplied in.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace hone::quant {

enum class Format : std::uint8_t {
  kF32,   // 4 bytes a weight
  kBF16,  // 2 bytes; activations rounded to bf16 too, sums in f32
  kInt8,  // 1 byte; symmetric, one scale an output channel (int8.h); activations int8 per token
  // 4.25 bits; asymmetric groups of 32 with two-level scales (int4.h); activations int8 per token
  kInt4,
};

std::string_view NameOf(Format format);  // "f32", "bf16", "int8", "int4"
base::StatusOr<Format> ParseFormat(std::string_view name);

}  // namespace hone::quant
