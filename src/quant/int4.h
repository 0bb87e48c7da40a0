// int4 weights: asymmetric groups of 32 inputs, with two-level scales.
//
//   w[n,k] ≈ scale[n] · s[n,g] · (q[n,k] - z[n,g])        g = k / 32
//   q in 0 … 15 (two in a byte, the even k in the low nibble)
//   z in 0 … 15
//   s in 1 … kMaxGroupScale
//
// Why two levels  s · (q - z) is a small integer (|…| ≤ 120), so a kernel can multiply in plain
//                 int8 arithmetic, with one f32 scale a channel at the end: int4 then costs what
//                 int8 costs where compute is the limit, and half the bytes where memory is.
//                 Without VNNI, AVX2 applies s for free in the widening multiply-add, and q - z is
//                 small enough that eight byte products may be summed before widening.
// Tail            K need not be a multiple of 32: the last group is short. Row bytes are (K+1)/2.
// On disk         compressed-tensors "pack-quantized": group scale = scale[n]·s[n,g] in F32 [N,G].
// Source          two-level ("progressive") group scales: QServe, Lin et al. 2024,
//                 arXiv:2405.04532.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace hone::quant {

inline constexpr int kInt4Group = 32;
inline constexpr int kMaxGroupScale = 8;

constexpr int Int4Groups(int k) {
  return (k + kInt4Group - 1) / kInt4Group;
}
constexpr int Int4RowBytes(int k) {
  return (k + 1) / 2;
}

struct Int4Matrix {
  int n = 0, k = 0;
  std::vector<std::uint8_t> nibbles;      // [n, Int4RowBytes(k)]
  std::vector<std::uint8_t> group_scale;  // s [n, Int4Groups(k)]
  std::vector<std::uint8_t> group_zero;   // z [n, Int4Groups(k)]
  std::vector<float> scale;               // [n]
};

// Quantises one row, choosing scale, s and z to lower the squared error. Values must be finite.
// Returns scale[n].
float QuantizeInt4Row(std::span<const float> row, std::span<std::uint8_t> nibbles,
                      std::span<std::uint8_t> group_scale, std::span<std::uint8_t> group_zero);

// weights is [n,k] row-major.
Int4Matrix QuantizeInt4(std::span<const float> weights, int n, int k);

// The integers s·(q - z) of one row, |…| ≤ 120.
void ExpandInt4Row(std::span<const std::uint8_t> nibbles, std::span<const std::uint8_t> group_scale,
                   std::span<const std::uint8_t> group_zero, std::span<std::int8_t> out);

}  // namespace hone::quant
