// int4 on AVX-512 VNNI: a panel is expanded to the bytes s·(q - z) in this thread's scratch, once
// for all rows, and multiplied as int8. The expansion is 3 instructions for 64 weights, so many
// rows cost what int8 costs; few rows, which wait for memory, read little more than half the bytes.
//
//   packed    panels of [int32 offset 48][f32 scale 48][u8 G × (s 48, s·z 48), to 64 bytes]
//             [u8 G × 4 × 48 × 4]: of a group's eight steps (int8_avx512.h), byte block p holds
//             step 2p in its low nibbles and step 2p+1 in its high ones
//   scratch   one expanded panel
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/int8_avx512.h"
#include "kernels/matmul/x86.h"
#include "quant/int4.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)
namespace hone::kernels {
namespace {

using avx512::kColumns;
using avx512::kStepBytes;

constexpr std::size_t kColumnBytes = kColumns * (sizeof(std::int32_t) + sizeof(float));
constexpr std::size_t kGroupFieldBytes = 2 * kColumns;
constexpr int kGroupSteps = quant::kInt4Group / 4;
constexpr std::size_t kGroupBytes = kGroupSteps / 2 * kStepBytes;

std::size_t Groups(int k) {
  return static_cast<std::size_t>(quant::Int4Groups(k));
}

std::size_t FieldBytes(int k) {
  return (Groups(k) * kGroupFieldBytes + 63) / 64 * 64;
}

std::size_t PanelBytes(int k) {
  return kColumnBytes + FieldBytes(k) + Groups(k) * kGroupBytes;
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

// Column j of a panel; the parts of the panel's bytes are given by their starts.
void PackColumn(const WeightRows& weights, std::size_t n, std::size_t j, std::byte* panel) {
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

void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  HONE_CHECK(weights.format == quant::Format::kInt4 && weights.k <= kMaxK);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    std::byte* out = packed + static_cast<std::size_t>(panel) * PanelBytes(weights.k);
    std::memset(out, 0, PanelBytes(weights.k));
    for (int j = 0; j < std::min(kColumns, weights.n - panel * kColumns); ++j) {
      PackColumn(weights, static_cast<std::size_t>(panel * kColumns + j),
                 static_cast<std::size_t>(j), out);
    }
  }
}

void ExpandPanel(const std::byte* panel, std::size_t groups, std::size_t field_bytes,
                 std::byte* out) {
  const std::byte* fields = panel + kColumnBytes;
  const std::byte* blocks = fields + field_bytes;
  const __m512i low_nibble = _mm512_set1_epi8(0x0F);
  // A byte of s becomes both words of its column's four bytes; one of s·z all four bytes.
  const __m512i to_words = _mm512_set4_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0x00000000);
  for (std::size_t g = 0; g < groups; ++g, fields += kGroupFieldBytes, blocks += kGroupBytes) {
    HONE_UNROLL for (int v = 0; v < kColumns / 16; ++v) {
      const auto field = [&](int offset) {
        return _mm512_cvtepu8_epi32(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(fields + offset + v * 16)));
      };
      // q·s ≤ 120 does not reach the upper byte of its word, so one word product makes both bytes.
      const __m512i s_low = field(0);
      const __m512i s = _mm512_or_si512(s_low, _mm512_slli_epi32(s_low, 16));
      const __m512i s_high = _mm512_slli_epi16(s, 12);
      const __m512i sz = _mm512_shuffle_epi8(field(kColumns), to_words);
      HONE_UNROLL for (int p = 0; p < kGroupSteps / 2; ++p) {
        const __m512i bytes = _mm512_load_si512(blocks + p * kStepBytes + v * 64);
        const __m512i low = _mm512_mullo_epi16(_mm512_and_si512(bytes, low_nibble), s);
        // (16·q · 4096·s) >> 16: the product's upper half shifts the nibble down as well.
        const __m512i high = _mm512_mulhi_epu16(_mm512_andnot_si512(low_nibble, bytes), s_high);
        _mm512_store_si512(out + 2 * p * kStepBytes + v * 64, _mm512_sub_epi8(low, sz));
        _mm512_store_si512(out + (2 * p + 1) * kStepBytes + v * 64, _mm512_sub_epi8(high, sz));
      }
    }
    out += kGroupSteps * kStepBytes;
  }
}

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* at = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    ExpandPanel(at, Groups(k), FieldBytes(k), scratch);
    avx512::Panel panel;
    panel.offset = reinterpret_cast<const std::int32_t*>(at);
    panel.scale = reinterpret_cast<const float*>(at) + kColumns;
    panel.weights = scratch;
    // The last group's padding is not multiplied.
    panel.steps = (k + 3) / 4;
    if (p + 1 < panel_end) {
      panel.next = at + PanelBytes(k);
      panel.next_bytes = PanelBytes(k);
    }
    avx512::MultiplyPanel(panel, prepared, avx512::PreparedBytes(k), rows, n, p * kColumns,
                          epilogue, c, c_stride);
  }
}

std::size_t ScratchBytes(int k) {
  return Groups(k) * kGroupSteps * kStepBytes;
}

}  // namespace

extern constinit const MatMulKernel kInt4Avx512 = {"int4_avx512",
                                                   quant::Format::kInt4,
                                                   base::Isa::kAvx512,
                                                   avx512::kRows,
                                                   kColumns,
                                                   "vpdpbusd zmm",
                                                   PackedBytes,
                                                   avx512::PreparedBytes,
                                                   Pack,
                                                   avx512::Prepare,
                                                   Multiply,
                                                   ScratchBytes,
                                                   127};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
