// int4 on AVX-512 VNNI: a panel is expanded to the bytes s·(q - z) in this thread's scratch, once for all rows,
// and multiplied as int8. The first tile of rows expands it, two steps ahead of its own dot products: those
// keep two of the four vector ports busy, and most of the expansion goes to the others. 16 rows so take 0.91 to
// 0.96 of the time (Zen 4) that they take behind an expansion by itself.
//
//   packed    int4_panels.h, 48 columns
//   scratch   one expanded panel
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/matmul/epilogue_avx512.h"
#include "kernels/matmul/int4_panels.h"
#include "kernels/matmul/int8_avx512.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)
namespace hone::kernels {
namespace {

using avx512::kColumns;
using avx512::kRows;
using avx512::kStepBytes;

using Layout = Int4Panels<kColumns>;
using Dot = avx512::Int8Dot;

}  // namespace
}  // namespace hone::kernels

#include "kernels/matmul/dot_tiles_avx512-inl.h"

namespace hone::kernels {
namespace {

// Expands a panel to `out` by pairs of steps, each while the pair before it is multiplied.
class ExpandAhead {
 public:
  ExpandAhead(const std::byte* panel, int k, std::byte* out)
      : fields_(panel + Layout::kColumnBytes),
        blocks_(fields_ + Layout::FieldBytes(k)),
        pairs_(static_cast<int>(Layout::Groups(k)) * kGroupPairs),
        out_(out) {}

  // A call would have the tile put its sums away.
  template <int kV>
  __attribute__((always_inline)) void BeforeStep(int step) {
    if (step == 0) Expand<kV>(0);
    if (step % 2 == 0) Expand<kV>(step / 2 + 1);
  }

 private:
  static constexpr int kGroupPairs = Layout::kGroupSteps / 2;

  template <int kV>
  __attribute__((always_inline)) void Expand(int pair) {
    if (pair >= pairs_) return;
    if (pair % kGroupPairs == 0) BeginGroup<kV>(pair / kGroupPairs);
    const __m512i low_nibble = _mm512_set1_epi8(0x0F);
    const std::byte* block = blocks_ + static_cast<std::size_t>(pair) * kStepBytes;
    std::byte* out = out_ + static_cast<std::size_t>(pair) * 2 * kStepBytes;
    HONE_UNROLL for (int v = 0; v < kV; ++v) {
      const __m512i bytes = _mm512_load_si512(block + v * 64), sz = _mm512_load_si512(sz_[v]);
      const __m512i low =
          _mm512_mullo_epi16(_mm512_and_si512(bytes, low_nibble), _mm512_load_si512(s_[v]));
      // (16·q · 4096·s) >> 16: the product's upper half shifts the nibble down as well.
      const __m512i high =
          _mm512_mulhi_epu16(_mm512_andnot_si512(low_nibble, bytes), _mm512_load_si512(s_high_[v]));
      _mm512_store_si512(out + v * 64, _mm512_sub_epi8(low, sz));
      _mm512_store_si512(out + kStepBytes + v * 64, _mm512_sub_epi8(high, sz));
    }
  }

  template <int kV>
  __attribute__((always_inline)) void BeginGroup(int group) {
    const std::byte* fields = fields_ + static_cast<std::size_t>(group) * Layout::kGroupFieldBytes;
    // A byte of s becomes both words of its column's four bytes; one of s·z all four bytes.
    const __m512i to_words = _mm512_set4_epi32(0x0C0C0C0C, 0x08080808, 0x04040404, 0x00000000);
    HONE_UNROLL for (int v = 0; v < kV; ++v) {
      const auto field = [&](int offset) {
        return _mm512_cvtepu8_epi32(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(fields + offset + v * 16)));
      };
      // q·s ≤ 120 does not reach the upper byte of its word, so one word product makes both bytes.
      const __m512i s_low = field(0);
      const __m512i s = _mm512_or_si512(s_low, _mm512_slli_epi32(s_low, 16));
      _mm512_store_si512(s_[v], s);
      _mm512_store_si512(s_high_[v], _mm512_slli_epi16(s, 12));
      _mm512_store_si512(sz_[v], _mm512_shuffle_epi8(field(kColumns), to_words));
    }
  }

  const std::byte *fields_, *blocks_;
  int pairs_;
  std::byte* out_;
  alignas(64) std::byte s_[kVectors][64], s_high_[kVectors][64], sz_[kVectors][64];  // the group's
};

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch, const Upcoming& next) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* at = packed + static_cast<std::size_t>(p) * Layout::PanelBytes(k);
    const Int8Panel panel =
        Int8PanelAt(at, Layout::PanelBytes(k), p + 1 < panel_end, next, kColumns, k, scratch);
    TilesTimesPanel(panel, 0, std::min(1, Tiles(rows)), ExpandAhead(at, k, scratch), prepared,
                    avx512::PreparedBytes(k), rows, n, p * kColumns, epilogue, c, c_stride);
    avx512::MultiplyPanel(panel, 1, prepared, avx512::PreparedBytes(k), rows, n, p * kColumns,
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
