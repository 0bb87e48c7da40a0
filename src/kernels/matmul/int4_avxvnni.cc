// int4 on 256-bit VNNI: a panel is expanded to the bytes s·(q - z) in this thread's scratch, once
// for all rows, and multiplied as int8. The expansion is 3 instructions for 32 weights, so many
// rows cost what int8 costs; few rows, which wait for memory, read little more than half the bytes.
//
//   packed    panels of [int32 offset 24][f32 scale 24][u8 G × (s 24, s·z 24), to 64 bytes]
//             [u8 G × 4 × 24 × 4]: of a group's eight steps (int8_avxvnni.h), byte block p holds
//             step 2p in its low nibbles and step 2p+1 in its high ones
//   scratch   one expanded panel
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/int8_avxvnni.h"
#include "kernels/matmul/x86.h"
#include "quant/int4.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVXVNNI)
namespace hone::kernels {
namespace {

using avxvnni::kColumns;
using avxvnni::kStepBytes;

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
  const __m256i low_nibble = _mm256_set1_epi8(0x0F);
  // A byte of s·z, widened to its column's four bytes, becomes all of them.
  const __m256i to_bytes = _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0C0C0C0C, 0, 0x04040404,
                                             0x08080808, 0x0C0C0C0C);
  for (std::size_t g = 0; g < groups; ++g, fields += kGroupFieldBytes, blocks += kGroupBytes) {
    HONE_UNROLL for (int v = 0; v < kColumns / 8; ++v) {
      const auto field = [&](int offset) {
        return _mm256_cvtepu8_epi32(
            _mm_loadl_epi64(reinterpret_cast<const __m128i*>(fields + offset + v * 8)));
      };
      // q·s ≤ 120 does not reach the upper byte of its word, so one word product makes both bytes.
      const __m256i s_low = field(0);
      const __m256i s = _mm256_or_si256(s_low, _mm256_slli_epi32(s_low, 16));
      const __m256i s_high = _mm256_slli_epi16(s, 12);
      const __m256i sz = _mm256_shuffle_epi8(field(kColumns), to_bytes);
      HONE_UNROLL for (int p = 0; p < kGroupSteps / 2; ++p) {
        const __m256i bytes =
            _mm256_load_si256(reinterpret_cast<const __m256i*>(blocks + p * kStepBytes + v * 32));
        const __m256i low = _mm256_mullo_epi16(_mm256_and_si256(bytes, low_nibble), s);
        // (16·q · 4096·s) >> 16: the product's upper half shifts the nibble down as well.
        const __m256i high = _mm256_mulhi_epu16(_mm256_andnot_si256(low_nibble, bytes), s_high);
        auto* to = reinterpret_cast<__m256i*>(out + 2 * p * kStepBytes + v * 32);
        _mm256_store_si256(to, _mm256_sub_epi8(low, sz));
        _mm256_store_si256(to + kStepBytes / 32, _mm256_sub_epi8(high, sz));
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
    avxvnni::Panel panel;
    panel.offset = reinterpret_cast<const std::int32_t*>(at);
    panel.scale = reinterpret_cast<const float*>(at) + kColumns;
    panel.weights = scratch;
    // The last group's padding is not multiplied.
    panel.steps = (k + 3) / 4;
    avxvnni::MultiplyPanel(panel, prepared, k, rows, n, p * kColumns, epilogue, c, c_stride);
  }
}

std::size_t ScratchBytes(int k) {
  return Groups(k) * kGroupSteps * kStepBytes;
}

}  // namespace

extern constinit const MatMulKernel kInt4AvxVnni = {"int4_avxvnni",
                                                    quant::Format::kInt4,
                                                    base::Isa::kAvxVnni,
                                                    avxvnni::kRows,
                                                    kColumns,
                                                    "vpdpbusd ymm",
                                                    PackedBytes,
                                                    avxvnni::PreparedBytes,
                                                    Pack,
                                                    avxvnni::Prepare,
                                                    Multiply,
                                                    ScratchBytes,
                                                    127};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
