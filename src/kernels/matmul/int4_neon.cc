// int4 on NEON: a panel is expanded to the bytes s·(q - z) in this thread's scratch, once for all
// rows, and multiplied as int8.
//
//   packed    panels of [f32 scale 8][u8 G × (s 8, s·z 8)][u8 G × 128]: a group of 32 k is 16
//             vectors of 16 bytes in the panel's layout (neon.h); byte vector v holds vector v in
//             its low nibbles and vector v + 8, which has the same columns, in its high ones
//   scratch   one expanded panel
#if defined(__aarch64__)
#include "kernels/matmul/int4_panels.h"
#include "kernels/matmul/neon.h"
#include "quant/int4.h"

namespace hone::kernels {
namespace {

using neon::kColumns;

constexpr std::size_t kScaleBytes = kColumns * sizeof(float);
constexpr std::size_t kFieldBytes = 2 * kColumns;
constexpr std::size_t kExpandedGroupBytes = quant::kInt4Group * kColumns;
constexpr std::size_t kGroupBytes = kExpandedGroupBytes / 2;

std::size_t Groups(int k) {
  return static_cast<std::size_t>(quant::Int4Groups(k));
}

std::size_t PanelBytes(int k) {
  return kScaleBytes + Groups(k) * (kFieldBytes + kGroupBytes);
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

std::size_t ScratchBytes(int k) {
  return Groups(k) * kExpandedGroupBytes;
}

template <typename Layout>
void PackColumn(const WeightRows& weights, std::size_t n, std::size_t j, std::byte* panel) {
  auto* fields = reinterpret_cast<std::uint8_t*>(panel + kScaleBytes);
  std::uint8_t* bytes = fields + Groups(weights.k) * kFieldBytes;
  const auto* nibbles = reinterpret_cast<const std::uint8_t*>(weights.row[n]);
  reinterpret_cast<float*>(panel)[j] = weights.scale[n];
  for (std::size_t g = 0; g < Groups(weights.k); ++g) {
    const std::uint8_t s = weights.group_scale[n][g], z = weights.group_zero[n][g];
    fields[g * kFieldBytes + j] = s;
    fields[g * kFieldBytes + kColumns + j] = static_cast<std::uint8_t>(s * z);
    for (std::size_t i = 0; i < quant::kInt4Group; ++i) {
      const std::size_t k = g * quant::kInt4Group + i;
      // What pads the last group is z, which stands for zero.
      const int q =
          k < static_cast<std::size_t>(weights.k) ? nibbles[k / 2] >> (k % 2 * 4) & 15 : z;
      const std::size_t at = Layout::Offset(j, i);
      std::uint8_t& byte = bytes[g * kGroupBytes + at % kGroupBytes];
      byte = static_cast<std::uint8_t>(byte | q << (at / kGroupBytes * 4));
    }
  }
}

template <typename Layout>
void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  PackInt4Panels<kColumns>(weights, panel_begin, panel_end, packed, PanelBytes(weights.k),
                           PackColumn<Layout>);
}

template <typename Layout>
void ExpandPanel(const std::byte* panel, std::size_t groups, std::byte* scratch) {
  const auto* fields = reinterpret_cast<const std::uint8_t*>(panel + kScaleBytes);
  const std::uint8_t* bytes = fields + groups * kFieldBytes;
  auto* out = reinterpret_cast<std::uint8_t*>(scratch);
  uint8x16_t spread[Layout::kVectorsOfColumns];
  for (std::size_t v = 0; v < Layout::kVectorsOfColumns; ++v) {
    std::uint8_t columns[16];
    for (std::size_t i = 0; i < 16; ++i)
      columns[i] = static_cast<std::uint8_t>(Layout::Column(v, i));
    spread[v] = vld1q_u8(columns);
  }
  for (std::size_t g = 0; g < groups; ++g, fields += kFieldBytes, bytes += kGroupBytes) {
    const uint8x16_t field = vld1q_u8(fields);
    HONE_UNROLL for (std::size_t v = 0; v < 8; ++v) {
      const uint8x16_t columns = spread[v % Layout::kVectorsOfColumns];
      const uint8x16_t s = vqtbl1q_u8(field, columns);
      const uint8x16_t sz = vqtbl1q_u8(field, vaddq_u8(columns, vdupq_n_u8(kColumns)));
      const uint8x16_t both = vld1q_u8(bytes + v * 16);
      const uint8x16_t low = vandq_u8(both, vdupq_n_u8(15)), high = vshrq_n_u8(both, 4);
      vst1q_u8(out + v * 16, vsubq_u8(vmulq_u8(low, s), sz));
      vst1q_u8(out + kGroupBytes + v * 16, vsubq_u8(vmulq_u8(high, s), sz));
    }
    out += kExpandedGroupBytes;
  }
}

template <typename Layout, void (*kMultiplyPanel)(const neon::PanelArgs&)>
void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch, const Upcoming&) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* panel = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    ExpandPanel<Layout>(panel, Groups(k), scratch);
    kMultiplyPanel({scratch, reinterpret_cast<const float*>(panel), neon::Blocks(k), prepared,
                    neon::PreparedBytes(k), rows, n, p * kColumns, &epilogue, c, c_stride});
  }
}

}  // namespace

extern constinit const MatMulKernel kInt4NeonI8mm = {
    "int4_neoni8mm",
    quant::Format::kInt4,
    base::Isa::kNeonI8mm,
    neon::kRows,
    kColumns,
    "smmla",
    PackedBytes,
    neon::PreparedBytes,
    Pack<neon::MmlaLayout>,
    neon::Prepare,
    Multiply<neon::MmlaLayout, neon::MultiplyPanelMmla>,
    ScratchBytes,
    127};

extern constinit const MatMulKernel kInt4NeonDot = {
    "int4_neondot",
    quant::Format::kInt4,
    base::Isa::kNeonDot,
    neon::kRows,
    kColumns,
    "sdot",
    PackedBytes,
    neon::PreparedBytes,
    Pack<neon::DotLayout>,
    neon::Prepare,
    Multiply<neon::DotLayout, neon::MultiplyPanelDot>,
    ScratchBytes,
    127};

}  // namespace hone::kernels
#endif
