// The int8 panel product of 256-bit VNNI, which the int4 kernel uses too once it has expanded a
// panel.
//
//   panel     int8 [steps][24][4]: a step is four values of k. Zeros beyond K and beyond N.
//   prepared  f32 scale, 60 bytes of padding, u8 [K]: q + 128, since vpdpbusd takes unsigned ×
//             signed
//   offset    int32 [24]: -128 · Σ_k of each column, which takes the 128 out again
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/matmul.h"

namespace hone::kernels::avxvnni {

inline constexpr int kColumns = 24;
inline constexpr int kRows = 4;
inline constexpr std::size_t kStepBytes = kColumns * 4;

std::size_t PreparedBytes(int k);
void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared);

struct Panel {
  const std::byte* weights = nullptr;  // 32-byte aligned
  int steps = 0;
  const std::int32_t* offset = nullptr;
  const float* scale = nullptr;
  const std::byte* next = nullptr;  // fetched into L2 meanwhile, unless null
  std::size_t next_bytes = 0;
};

// All rows times one panel, whose first column is `column` of `n`.
void MultiplyPanel(const Panel& panel, const std::byte* prepared, int k, int rows, int n,
                   int column, const Epilogue& epilogue, float* c, std::ptrdiff_t c_stride);

}  // namespace hone::kernels::avxvnni
