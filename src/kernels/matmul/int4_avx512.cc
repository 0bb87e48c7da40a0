// int4 on AVX-512 VNNI: a panel is expanded to the bytes s·(q - z) in this thread's scratch, once
// for all rows, and multiplied as int8. The expansion is 3 instructions for 64 weights, so many
// rows cost what int8 costs; few rows, which wait for memory, read little more than half the bytes.
//
//   packed    int4_panels.h, 48 columns
//   scratch   one expanded panel
#if defined(__x86_64__)
#include <algorithm>
#include <cstring>

#include "kernels/matmul/int4_panels.h"
#include "kernels/matmul/int8_avx512.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)
namespace hone::kernels {
namespace {

using avx512::kColumns;
using avx512::kStepBytes;

using Layout = Int4Panels<kColumns>;

void ExpandPanel(const std::byte* panel, std::size_t groups, std::size_t field_bytes,
                 std::byte* out) {
  const std::byte* fields = panel + Layout::kColumnBytes;
  const std::byte* blocks = fields + field_bytes;
  const __m512i low_nibble = _mm512_set1_epi8(0x0F);
  // A byte of s becomes both words of its column's four bytes; one of s·z all four bytes.
  const __m512i to_words = _mm512_set4_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0x00000000);
  for (std::size_t g = 0; g < groups;
       ++g, fields += Layout::kGroupFieldBytes, blocks += Layout::kGroupBytes) {
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
      HONE_UNROLL for (int p = 0; p < Layout::kGroupSteps / 2; ++p) {
        const __m512i bytes = _mm512_load_si512(blocks + p * kStepBytes + v * 64);
        const __m512i low = _mm512_mullo_epi16(_mm512_and_si512(bytes, low_nibble), s);
        // (16·q · 4096·s) >> 16: the product's upper half shifts the nibble down as well.
        const __m512i high = _mm512_mulhi_epu16(_mm512_andnot_si512(low_nibble, bytes), s_high);
        _mm512_store_si512(out + 2 * p * kStepBytes + v * 64, _mm512_sub_epi8(low, sz));
        _mm512_store_si512(out + (2 * p + 1) * kStepBytes + v * 64, _mm512_sub_epi8(high, sz));
      }
    }
    out += Layout::kGroupSteps * kStepBytes;
  }
}

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* at = packed + static_cast<std::size_t>(p) * Layout::PanelBytes(k);
    ExpandPanel(at, Layout::Groups(k), Layout::FieldBytes(k), scratch);
    const Int8Panel panel =
        Int8PanelAt(at, Layout::PanelBytes(k), p + 1 == panel_end, kColumns, k, scratch);
    avx512::MultiplyPanel(panel, prepared, avx512::PreparedBytes(k), rows, n, p * kColumns,
                          epilogue, c, c_stride);
  }
}

std::size_t ScratchBytes(int k) {
  return Layout::Groups(k) * Layout::kGroupSteps * kStepBytes;
}

}  // namespace

extern constinit const MatMulKernel kInt4Avx512 = {"int4_avx512",
                                                   quant::Format::kInt4,
                                                   base::Isa::kAvx512,
                                                   avx512::kRows,
                                                   kColumns,
                                                   "vpdpbusd zmm",
                                                   Layout::PackedBytes,
                                                   avx512::PreparedBytes,
                                                   Layout::Pack,
                                                   avx512::Prepare,
                                                   Multiply,
                                                   ScratchBytes,
                                                   127};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
