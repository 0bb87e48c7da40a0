// The int8 panel product of 256-bit VNNI, which the int4 kernel uses too once it has expanded a
// panel.
//
//   panel     int8_panel.h, of 24 columns
//   prepared  f32 scale, 60 bytes of padding, u8 [K]: q + 128, since vpdpbusd takes unsigned ×
//             signed
#pragma once

#include <cstddef>

#include "kernels/matmul/int8_panel.h"
#include "kernels/matmul/matmul.h"

namespace hone::kernels::avxvnni {

inline constexpr int kColumns = 24;
inline constexpr int kRows = 4;
inline constexpr std::size_t kStepBytes = kColumns * 4;

std::size_t PreparedBytes(int k);
void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared);

// All rows times one panel, whose first column is `column` of `n`.
void MultiplyPanel(const Int8Panel& panel, const std::byte* prepared, int k, int rows, int n,
                   int column, const Epilogue& epilogue, float* c, std::ptrdiff_t c_stride);

}  // namespace hone::kernels::avxvnni
