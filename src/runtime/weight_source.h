// Stored matrices as rows in the number format that a kernel packs.
//
// Nothing is copied where the file already holds the format: f32, bf16 and int8 rows are pointers into the
// mapped file. Everything else, int4 from its 32-bit words too, is converted into memory that WeightSource
// owns until the packing is done.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "formats/checkpoint.h"
#include "kernels/matmul/matmul.h"
#include "quant/format.h"
#include "quant/int4.h"

namespace hone::runtime {

struct WeightSource {
  kernels::WeightRows rows;
  // Conversions that `rows` points into.
  std::vector<std::vector<float>> floats;
  std::vector<std::vector<std::uint16_t>> halves;
  std::vector<std::vector<std::int8_t>> bytes;
  std::vector<quant::Int4Matrix> int4;
};

// The format the matrix is stored in: f16 counts as f32, since no kernel multiplies it as it is.
quant::Format StoredFormat(const formats::StoredMatrix& matrix);

// Stacks `parts` (same K) along N, in `format`. NaN and infinities are errors that name the matrix.
base::StatusOr<WeightSource> GatherRows(std::span<const formats::StoredMatrix* const> parts,
                                        quant::Format format);

}  // namespace hone::runtime
