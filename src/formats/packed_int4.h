// int4 matrices between quant::Int4Matrix and the pack-quantized tensors of
// formats/stored_matrix.h.
//
//   word j of row n   nibbles k = 8j … 8j+7, the first in the lowest bits      (file)
//   byte j of row n   nibbles k = 2j, 2j+1, the even one in the lower half     (quant::Int4Matrix)
//
// On a little-endian machine a row of words is a row of bytes with padding. The convention counts q
// and zero from -8; the stored nibbles are q + 8, which are Hone's 0 … 15.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "formats/checkpoint.h"
#include "quant/int4.h"

namespace hone::formats {

struct LoadedInt4 {
  quant::Int4Matrix matrix;
  // True where the file's scales have no two levels, or another group size: the weights were
  // widened to f32 and quantised again, which costs a little accuracy.
  bool requantized = false;
};

// `stored` is of kind kInt4. Errors: scales that are not finite.
base::StatusOr<LoadedInt4> LoadInt4(const StoredMatrix& stored);

// The values of one row in f32: out[k] = scale · (nibble - zero). Works for any group size.
void DequantizeInt4Row(const StoredMatrix& stored, int row, std::span<float> out);

// The tensors of a matrix on disk.
struct PackedInt4 {
  std::vector<std::uint32_t> values;  // [N,⌈K/8⌉]
  std::vector<float> scale;           // [N,G]
  std::vector<std::uint32_t> zero;    // [⌈N/8⌉,G]
};
PackedInt4 PackInt4(const quant::Int4Matrix& matrix);

}  // namespace hone::formats
