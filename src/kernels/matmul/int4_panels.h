// How int4 weights are packed for the kernels that expand a panel to bytes and multiply it as int8
// (VNNI): the same for each width of panel.
//
//   panel  [int32 offset C][f32 scale C][u8 G × (s C, s·z C), to 64 bytes][u8 G × 4 × C × 4]
//
// Of a group's eight steps (four values of k each), byte block p holds step 2p in its low nibbles
// and step 2p+1 in its high ones. The offset is -128 times the column's sum, which takes out what
// unsigned activations add.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/matmul.h"
#include "quant/int4.h"

namespace hone::kernels {

// Clears panels of `panel_bytes` and has each of their columns packed: row n of the weights is column
// j of its panel. Columns beyond the weights' stay 0. For panels of other layouts too (int4_avx2.cc,
// int4_neon.cc).
template <int kColumns>
void PackInt4Panels(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed,
                    std::size_t panel_bytes,
                    void (*pack_column)(const WeightRows& weights, std::size_t n, std::size_t j,
                                        std::byte* panel)) {
  HONE_CHECK(weights.format == quant::Format::kInt4 && weights.k <= kMaxK);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    std::byte* out = packed + static_cast<std::size_t>(panel) * panel_bytes;
    std::memset(out, 0, panel_bytes);
    for (int j = 0; j < std::min(kColumns, weights.n - panel * kColumns); ++j) {
      const auto column = static_cast<std::size_t>(j);
      pack_column(weights, static_cast<std::size_t>(panel) * kColumns + column, column, out);
    }
  }
}

template <int kColumns>
struct Int4Panels {
  static constexpr std::size_t kColumnBytes = kColumns * (sizeof(std::int32_t) + sizeof(float));
  static constexpr std::size_t kStepBytes = kColumns * 4;
  static constexpr std::size_t kGroupFieldBytes = 2 * kColumns;
  static constexpr int kGroupSteps = quant::kInt4Group / 4;
  static constexpr std::size_t kGroupBytes = kGroupSteps / 2 * kStepBytes;

  static std::size_t Groups(int k) { return static_cast<std::size_t>(quant::Int4Groups(k)); }
  static std::size_t FieldBytes(int k) { return (Groups(k) * kGroupFieldBytes + 63) / 64 * 64; }
  static std::size_t PanelBytes(int k) {
    return kColumnBytes + FieldBytes(k) + Groups(k) * kGroupBytes;
  }
  static std::size_t PackedBytes(int n, int k) {
    return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
  }

  // Column j of a panel that was cleared.
  static void PackColumn(const WeightRows& weights, std::size_t n, std::size_t j,
                         std::byte* panel) {
    auto* fields = reinterpret_cast<std::uint8_t*>(panel + kColumnBytes);
    auto* blocks = fields + FieldBytes(weights.k);
    const auto* nibbles = reinterpret_cast<const std::uint8_t*>(weights.row[n]);
    const std::uint8_t* s = weights.group_scale[n];
    const std::uint8_t* z = weights.group_zero[n];
    std::int32_t sum = 0;
    for (std::size_t g = 0; g < Groups(weights.k); ++g) {
      fields[g * kGroupFieldBytes + j] = s[g];
      fields[g * kGroupFieldBytes + kColumns + j] = static_cast<std::uint8_t>(s[g] * z[g]);
      for (std::size_t i = 0; i < quant::kInt4Group; ++i) {
        const std::size_t k = g * quant::kInt4Group + i;
        // What pads the last group is z, which stands for zero.
        const int q =
            k < static_cast<std::size_t>(weights.k) ? nibbles[k / 2] >> (k % 2 * 4) & 15 : z[g];
        sum += s[g] * (q - z[g]);
        const std::size_t step = i / 4;
        std::uint8_t& byte = blocks[g * kGroupBytes + step / 2 * kStepBytes + j * 4 + i % 4];
        byte = static_cast<std::uint8_t>(byte | q << (step % 2 * 4));
      }
    }
    reinterpret_cast<std::int32_t*>(panel)[j] = -128 * sum;
    reinterpret_cast<float*>(panel)[kColumns + j] = weights.scale[n];
  }

  static void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
    PackInt4Panels<kColumns>(weights, panel_begin, panel_end, packed, PanelBytes(weights.k),
                             PackColumn);
  }
};

}  // namespace hone::kernels
