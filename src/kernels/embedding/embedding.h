// The input of an encoder: a row of each table, summed.
//
//   out[t,:] = word[ids[t],:] + position[positions[t],:] + type[types[t],:]
//
// Shapes    tables [rows,E] of f32, f16 or bf16, rows contiguous, of any alignment · out [T,E] f32
// Absent    a table without data adds nothing, and its indices are not read; all absent: zeros
// Numerics  sums in f32, in the order written
// Scratch   none.      Threads  any split of T
// Errors    none at run time: indices are valid, the dtype is one of the three (a CHECK)
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/dtype.h"

namespace hone::kernels {

struct EmbeddingTable {
  const std::byte* data = nullptr;
  tensor::DType dtype = tensor::DType::kF32;
};

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
