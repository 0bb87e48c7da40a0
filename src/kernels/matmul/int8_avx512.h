// The int8 panel product of AVX-512 VNNI, which the int4 kernel uses too once its first tile has expanded a
// panel.
//
//   panel     int8_panel.h, of 48 columns
//   prepared  f32 scale, 60 bytes of padding, u8 [K]: q + 128, since vpdpbusd takes unsigned ×
//             signed
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/int8_panel.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/x86.h"

namespace hone::kernels::avx512 {

inline constexpr int kColumns = 48;
inline constexpr int kRows = 8;
inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr std::size_t kStepBytes = kColumns * 4;

std::size_t PreparedBytes(int k);
void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared);

// The rows, from tile `first_tile` of theirs on, times one panel, whose first column is `column` of `n`.
void MultiplyPanel(const Int8Panel& panel, int first_tile, const std::byte* prepared,
                   std::size_t prepared_stride, int rows, int n, int column,
                   const Epilogue& epilogue, float* c, std::ptrdiff_t c_stride);

}  // namespace hone::kernels::avx512

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)
namespace hone::kernels::avx512 {
namespace {

// Dot of dot_tiles_avx512-inl.h for four int8 at a step.
struct Int8Dot {
  using Panel = Int8Panel;
  using Sum = std::int32_t;
  using Sums = __m512i;
  static constexpr std::size_t kHeaderBytes = avx512::kHeaderBytes;

  static Sums Start(const Panel& panel, int v) { return _mm512_loadu_si512(panel.offset + v * 16); }
  static Sums Add(Sums sums, __m512i x, __m512i w) { return _mm512_dpbusd_epi32(sums, x, w); }
  static void Store(Sums sums, Sum* out) { _mm512_store_si512(out, sums); }
  static const float* Scale(const Panel& panel) { return panel.scale; }
};

}  // namespace
}  // namespace hone::kernels::avx512
HONE_TARGET_END
