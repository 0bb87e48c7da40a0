// The input of an encoder: a row of each table, summed.
//
//   out[t,:] = word[ids[t],:] + position[positions[t],:] + type[types[t],:]
//
// Shapes    tables [rows,E], rows contiguous, of any alignment · out [T,E] f32
// Formats   f32, f16, bf16
//           int8 (dtype kI8): scale[r] · q[r,i], scale [rows]
//           int4 (dtype kI32): scale[r,g] · (q[r,i] - zero[r,g]), g = i / group, eight nibbles a
//           word, the first lowest; scale [rows,G]; zero packed along rows [⌈rows/8⌉,G], or null: 8.
//           Scales are f32, f16 or bf16. Layouts as in files: formats/stored_matrix.h
// Absent    a table without data adds nothing, and its indices are not read; all absent: zeros
// Numerics  sums in f32, in the order written; a quantised value is multiplied and added at once
// Scratch   none.      Threads  any split of T
// Errors    none at run time: indices are valid, the dtype is one of those (a CHECK)
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace hone::kernels {

struct EmbeddingTable {
  const std::byte* data = nullptr;
  tensor::DType dtype = tensor::DType::kF32;
  // int8 and int4 only:
  const std::byte* scale = nullptr;
  tensor::DType scale_dtype = tensor::DType::kF32;
  const std::byte* zero = nullptr;  // int4
  int group = 0;                    // int4: values that share a scale
};

// Element `index` of an array of f32, f16 or bf16, of any alignment.
float FloatAt(const std::byte* data, tensor::DType dtype, std::size_t index);
// The zero of int4 values of row `row` in group `group` of `groups`.
int ZeroAt(const EmbeddingTable& table, std::size_t row, std::size_t group, std::size_t groups);

struct EmbeddingArgs {
  EmbeddingTable word, position, type;
  const std::int32_t* ids = nullptr;  // [T] each
  const std::int32_t* positions = nullptr;
  const std::int32_t* types = nullptr;
  int tokens = 0;
  int width = 0;  // E
  float* out = nullptr;
  std::ptrdiff_t out_stride = 0;
};

void Embed(const EmbeddingArgs& args);
void EmbedRef(const EmbeddingArgs& args);

}  // namespace hone::kernels
