// Embedding tables in fewer bits. Rows are gathered, never multiplied, so what counts is bytes:
//
//   int8   a row's scale in f32, as quant/int8.h
//   int4   asymmetric groups of 32, w ≈ scale · (q - zero), scale in f16, which no kernel has to
//          reduce to two levels: 4.6 bits a weight
//
// Both are laid out as formats/stored_matrix.h says, with shapes and names of a matrix [rows, E].
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"

namespace hone::compress {

inline constexpr int kEmbeddingGroup = 32;

struct Int4Rows {
  std::vector<std::uint32_t> values;  // [rows, ⌈E/8⌉], eight nibbles a word, the first lowest
  std::vector<std::uint16_t> scale;   // [rows, E/32] f16
  std::vector<std::uint32_t> zero;    // [⌈rows/8⌉, E/32], packed along rows
};

// rows of `width` values, a multiple of 32, finite.
Int4Rows QuantizeInt4Rows(std::span<const float> values, int rows, int width,
                          base::ThreadPool& pool);

}  // namespace hone::compress
