// int4 on 256-bit VNNI: a panel is expanded to the bytes s·(q - z) in this thread's scratch, once
// for all rows, and multiplied as int8. The expansion is 3 instructions for 32 weights, so many
// rows cost what int8 costs; few rows, which wait for memory, read little more than half the bytes.
//
//   packed    int4_panels.h, 24 columns
//   scratch   one expanded panel
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "kernels/matmul/int4_panels.h"
#include "kernels/matmul/int8_avxvnni.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVXVNNI)
namespace hone::kernels {
namespace {

using avxvnni::kColumns;
using avxvnni::kStepBytes;

using Layout = Int4Panels<kColumns>;

void ExpandPanel(const std::byte* panel, std::size_t groups, std::size_t field_bytes,
                 std::byte* out) {
  const std::byte* fields = panel + Layout::kColumnBytes;
  const std::byte* blocks = fields + field_bytes;
  const __m256i low_nibble = _mm256_set1_epi8(0x0F);
  // A byte of s·z, widened to its column's four bytes, becomes all of them.
  const __m256i to_bytes = _mm256_setr_epi32(0, 0x04040404, 0x08080808, 0x0C0C0C0C, 0, 0x04040404,
                                             0x08080808, 0x0C0C0C0C);
  for (std::size_t g = 0; g < groups;
       ++g, fields += Layout::kGroupFieldBytes, blocks += Layout::kGroupBytes) {
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
      HONE_UNROLL for (int p = 0; p < Layout::kGroupSteps / 2; ++p) {
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
    out += Layout::kGroupSteps * kStepBytes;
  }
}

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch, const Upcoming& next) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* at = packed + static_cast<std::size_t>(p) * Layout::PanelBytes(k);
    ExpandPanel(at, Layout::Groups(k), Layout::FieldBytes(k), scratch);
    const Int8Panel panel =
        Int8PanelAt(at, Layout::PanelBytes(k), p + 1 < panel_end, next, kColumns, k, scratch);
    avxvnni::MultiplyPanel(panel, prepared, k, rows, n, p * kColumns, epilogue, c, c_stride);
  }
}

std::size_t ScratchBytes(int k) {
  return Layout::Groups(k) * Layout::kGroupSteps * kStepBytes;
}

}  // namespace

extern constinit const MatMulKernel kInt4AvxVnni = {"int4_avxvnni",
                                                    quant::Format::kInt4,
                                                    base::Isa::kAvxVnni,
                                                    avxvnni::kRows,
                                                    kColumns,
                                                    "vpdpbusd ymm",
                                                    Layout::PackedBytes,
                                                    avxvnni::PreparedBytes,
                                                    Layout::Pack,
                                                    avxvnni::Prepare,
                                                    Multiply,
                                                    ScratchBytes,
                                                    127};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
