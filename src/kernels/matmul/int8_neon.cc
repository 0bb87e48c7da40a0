// int8 on NEON with dotprod and with i8mm: packing, and the two list entries. Products are signed ×
// signed, so there is no offset to take out again.
//
//   packed    panels of [f32 scale 8][int8, as neon.h lays out]
#if defined(__aarch64__)
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/neon.h"

namespace hone::kernels {
namespace {

using neon::kColumns;

constexpr std::size_t kScaleBytes = kColumns * sizeof(float);

std::size_t PanelBytes(int k) {
  return kScaleBytes + neon::Blocks(k) * 16 * kColumns;
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

template <typename Layout>
void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  HONE_CHECK(weights.format == quant::Format::kInt8 && weights.k <= kMaxK);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    std::byte* out = packed + static_cast<std::size_t>(panel) * PanelBytes(weights.k);
    std::memset(out, 0, PanelBytes(weights.k));
    for (int j = 0; j < std::min(kColumns, weights.n - panel * kColumns); ++j) {
      const auto column = static_cast<std::size_t>(j);
      const std::size_t n = static_cast<std::size_t>(panel * kColumns) + column;
      reinterpret_cast<float*>(out)[j] = weights.scale[n];
      for (std::size_t k = 0; k < static_cast<std::size_t>(weights.k); ++k) {
        out[kScaleBytes + Layout::Offset(column, k)] = weights.row[n][k];
      }
    }
  }
}

template <void (*kMultiplyPanel)(const neon::PanelArgs&)>
void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*, const Upcoming&) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* panel = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    kMultiplyPanel({panel + kScaleBytes, reinterpret_cast<const float*>(panel), neon::Blocks(k),
                    prepared, neon::PreparedBytes(k), rows, n, p * kColumns, &epilogue, c,
                    c_stride});
  }
}

std::size_t ScratchBytes(int) {
  return 0;
}

}  // namespace

extern constinit const MatMulKernel kInt8NeonI8mm = {"int8_neoni8mm",
                                                     quant::Format::kInt8,
                                                     base::Isa::kNeonI8mm,
                                                     neon::kRows,
                                                     kColumns,
                                                     "smmla",
                                                     PackedBytes,
                                                     neon::PreparedBytes,
                                                     Pack<neon::MmlaLayout>,
                                                     neon::Prepare,
                                                     Multiply<neon::MultiplyPanelMmla>,
                                                     ScratchBytes,
                                                     127};

extern constinit const MatMulKernel kInt8NeonDot = {"int8_neondot",
                                                    quant::Format::kInt8,
                                                    base::Isa::kNeonDot,
                                                    neon::kRows,
                                                    kColumns,
                                                    "sdot",
                                                    PackedBytes,
                                                    neon::PreparedBytes,
                                                    Pack<neon::DotLayout>,
                                                    neon::Prepare,
                                                    Multiply<neon::MultiplyPanelDot>,
                                                    ScratchBytes,
                                                    127};

}  // namespace hone::kernels
#endif
