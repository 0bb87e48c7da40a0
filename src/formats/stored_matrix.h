// Finds the weight matrix of a module among a checkpoint's tensors, in the compressed-tensors
// convention:
//
//   float           <module>.weight             F32|F16|BF16 [N,K]
//   int-quantized   <module>.weight             I8 [N,K]            q
//                   <module>.weight_scale       float [N,1] or [N]  w = scale · q
//   pack-quantized  <module>.weight_packed      I32 [N,⌈K/8⌉]       eight nibbles a word, lowest
//                                                                   first
//                   <module>.weight_scale       float [N,G]         w = scale · (nibble - zero)
//                   <module>.weight_zero_point  I32 [⌈N/8⌉,G]       packed along N; absent: 8
//                   <module>.weight_shape       I64 [2]             N, K
//
// Source  the names and layouts that the compressed-tensors package 0.20 writes and reads.
#pragma once

#include <string_view>

#include "base/status.h"
#include "formats/checkpoint.h"
#include "formats/tensor_table.h"

namespace hone::formats {

// n or k of -1 accepts any size. `group` is the group size that config.json states, or 0: then a
// packed matrix must divide evenly into its scales' groups.
base::StatusOr<StoredMatrix> ReadStoredMatrix(const TensorTable& tensors, std::string_view module,
                                              int n, int k, int group);

}  // namespace hone::formats
