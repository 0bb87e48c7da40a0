// bf16 by AVX-512's dot products of bf16 pairs, which sum in f32, by the tiles of
// dot_tiles_avx512-inl.h; a step is two values of k.
//
//   packed    panels of bf16 [steps][48][2], zeros beyond K and beyond N
//   prepared  bf16 [K], rounded to nearest; zeros up to a cache line
//
// Where it pays: on Zen 4 it is twice as fast as widening to f32 (float_hwy.cc); on Sapphire Rapids the
// instruction has half of f32's rate (docs/benchmarks.md). It takes subnormal numbers for zeros.
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/epilogue_avx512.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512BF16)
namespace hone::kernels {
namespace {

constexpr int kColumns = 48;
constexpr int kRows = 8;
constexpr std::size_t kStepBytes = kColumns * 4;

struct Dot {
  struct Panel {
    const std::byte* weights = nullptr;
    int steps = 0;
    Upcoming next = {};  // fetched into L2 meanwhile
  };
  using Sum = float;
  using Sums = __m512;
  static constexpr std::size_t kHeaderBytes = 0;

  static Sums Start(const Panel&, int) { return _mm512_setzero_ps(); }
  static Sums Add(Sums sums, __m512i x, __m512i w) {
    return _mm512_dpbf16_ps(sums, (__m512bh)x, (__m512bh)w);
  }
  static void Store(Sums sums, Sum* out) { _mm512_store_ps(out, sums); }
  static const float* Scale(const Panel&) { return nullptr; }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/matmul/dot_tiles_avx512-inl.h"

namespace hone::kernels {
namespace {

int Steps(int k) {
  return (k + 1) / 2;
}

// An odd number of cache lines: rows a power of two apart would fall into one set of L1.
std::size_t PreparedBytes(int k) {
  return ((static_cast<std::size_t>(Steps(k)) * 4 + 63) / 64 | 1) * 64;
}

std::size_t PanelBytes(int k) {
  return static_cast<std::size_t>(Steps(k)) * kStepBytes;
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

std::size_t ScratchBytes(int) {
  return 0;
}

void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  HONE_CHECK(weights.format == quant::Format::kBF16 && weights.k <= kMaxK);
  const std::size_t pairs = static_cast<std::size_t>(weights.k) / 2;
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    std::byte* out = packed + static_cast<std::size_t>(panel) * PanelBytes(weights.k);
    std::memset(out, 0, PanelBytes(weights.k));
    const int columns = std::min(kColumns, weights.n - panel * kColumns);
    for (int j = 0; j < columns; ++j) {
      const std::size_t n =
          static_cast<std::size_t>(panel) * kColumns + static_cast<std::size_t>(j);
      const std::byte* row = weights.row[n];
      std::byte* column = out + static_cast<std::size_t>(j) * 4;
      for (std::size_t s = 0; s < pairs; ++s) std::memcpy(column + s * kStepBytes, row + s * 4, 4);
      if (weights.k % 2 != 0) std::memcpy(column + pairs * kStepBytes, row + pairs * 4, 2);
    }
  }
}

// To the nearest bf16, ties to even; of a NaN only the quiet bit may have to be set.
__m256i RoundToBF16(__m512 v) {
  const __m512i bits = _mm512_castps_si512(v);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
  const __m512i nan = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
  const __mmask16 is_nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(up, is_nan, nan), 16));
}

void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  const std::size_t stride = PreparedBytes(k);
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += stride) {
    for (int i = 0; i < k; i += 16) {
      const __mmask16 mask = FirstLanes512(k - i);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(prepared + static_cast<std::size_t>(i) * 2),
                          RoundToBF16(_mm512_maskz_loadu_ps(mask, x + i)));
    }
  }
}

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*, const Upcoming& next) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* at = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    const Dot::Panel panel{at, Steps(k), AfterPanel(at, PanelBytes(k), p + 1 < panel_end, next)};
    TilesTimesPanel(panel, 0, Tiles(rows), NothingAhead(), prepared, PreparedBytes(k), rows, n,
                    p * kColumns, epilogue, c, c_stride);
  }
}

}  // namespace

extern constinit const MatMulKernel kBF16Avx512Bf16 = {"bf16_avx512bf16",
                                                       quant::Format::kBF16,
                                                       base::Isa::kAvx512Bf16,
                                                       kRows,
                                                       kColumns,
                                                       "vdpbf16ps zmm",
                                                       PackedBytes,
                                                       PreparedBytes,
                                                       Pack,
                                                       Prepare,
                                                       Multiply,
                                                       ScratchBytes,
                                                       0,
                                                       base::FastBf16Dots};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
