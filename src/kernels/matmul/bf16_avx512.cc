// bf16 by AVX-512's dot products of bf16 pairs, which sum in f32: 8 rows × 48 columns in 24 registers,
// as int8_avx512.cc has them; a step is two values of k instead of four.
//
//   packed    panels of bf16 [steps][48][2], zeros beyond K and beyond N
//   prepared  bf16 [K], rounded to nearest; zeros up to a cache line
//
// Where it pays: on Zen 4 it is twice as fast as widening to f32 (float_hwy.cc), on Sapphire Rapids
// half as fast (docs/benchmarks.md). The instruction takes subnormal numbers for zeros.
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

constexpr int kColumns = 48, kVectors = kColumns / 16;
constexpr int kRows = 8;
constexpr std::size_t kStepBytes = kColumns * 4;

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
  const auto pairs = static_cast<std::size_t>(weights.k / 2);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    std::byte* out = packed + static_cast<std::size_t>(panel) * PanelBytes(weights.k);
    std::memset(out, 0, PanelBytes(weights.k));
    const int columns = std::min(kColumns, weights.n - panel * kColumns);
    for (int j = 0; j < columns; ++j) {
      const std::byte* row = weights.row[static_cast<std::size_t>(panel * kColumns + j)];
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
      const __mmask16 mask = static_cast<__mmask16>(k - i >= 16 ? 0xFFFF : (1 << (k - i)) - 1);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(prepared + static_cast<std::size_t>(i) * 2),
                          RoundToBF16(_mm512_maskz_loadu_ps(mask, x + i)));
    }
  }
}

// One panel of weights, and the next, which is fetched into L2 meanwhile unless it is null.
struct Panel {
  const std::byte* weights;
  int steps;
  const std::byte* next;
};

// Sums of kR rows and the panel's first kV vectors of columns, stored to out [kR, kV·16]. `fetch` lines
// of `next` are requested on the way, one a step: at few rows the product is as fast as its weights arrive.
template <int kR, int kV>
void Tile(const Panel& panel, const std::byte* a, std::size_t a_stride, const std::byte* next,
          int fetch, float* out) {
  __m512 sum[kR][kV];
  HONE_UNROLL for (int r = 0; r < kR; ++r) {
    HONE_UNROLL for (int v = 0; v < kV; ++v) sum[r][v] = _mm512_setzero_ps();
  }
  const std::byte* b = panel.weights;
  const auto step = [&](int s) __attribute__((always_inline)) {
    __m512i w[kV];
    HONE_UNROLL for (int v = 0; v < kV; ++v) w[v] = _mm512_load_si512(b + v * 64);
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      std::int32_t two;
      std::memcpy(&two, a + static_cast<std::size_t>(r) * a_stride + s * 4, sizeof two);
      const __m512i x = _mm512_set1_epi32(two);
      HONE_UNROLL for (int v = 0; v < kV; ++v) {
        sum[r][v] = _mm512_dpbf16_ps(sum[r][v], (__m512bh)x, (__m512bh)w[v]);
      }
    }
    b += kStepBytes;
  };
  int s = 0;
  for (const int fetched = std::min(fetch, panel.steps); s < fetched; ++s) {
    _mm_prefetch(reinterpret_cast<const char*>(next) + s * 64, _MM_HINT_T1);
    step(s);
  }
  for (; s < panel.steps; ++s) step(s);
  HONE_UNROLL for (int r = 0; r < kR; ++r) {
    HONE_UNROLL for (int v = 0; v < kV; ++v) _mm512_store_ps(out + (r * kV + v) * 16, sum[r][v]);
  }
}

using TileFunction = void (*)(const Panel&, const std::byte*, std::size_t, const std::byte*, int,
                              float*);
template <int kV>
constexpr std::array<TileFunction, kRows> kTilesOf = {Tile<1, kV>, Tile<2, kV>, Tile<3, kV>,
                                                      Tile<4, kV>, Tile<5, kV>, Tile<6, kV>,
                                                      Tile<7, kV>, Tile<8, kV>};
// Of vectors - 1, rows - 1.
constexpr std::array<std::array<TileFunction, kRows>, kVectors> kTiles = {kTilesOf<1>, kTilesOf<2>,
                                                                          kTilesOf<3>};

void MultiplyPanel(const Panel& panel, const std::byte* prepared, std::size_t prepared_stride,
                   int rows, int n, int column, const Epilogue& epilogue, float* c,
                   std::ptrdiff_t c_stride) {
  alignas(64) float sums[kRows * kColumns];
  StoreArgs512<float> store;
  store.sums = sums;
  store.bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + column;
  store.residual_stride = epilogue.residual_stride;
  store.c_stride = c_stride;
  store.columns = std::min(n - column, kColumns);
  const int vectors = (store.columns + 15) / 16;
  const std::byte* next = panel.next;
  int lines = next == nullptr ? 0 : panel.steps * static_cast<int>(kStepBytes / 64);
  // Tiles as even as can be, 25 rows as 7 + 6 + 6 + 6: a row alone would wait for its own sums.
  const int tiles = (rows + kRows - 1) / kRows;
  for (int i = 0; i < tiles; ++i) {
    const int m = static_cast<int>(static_cast<long>(rows) * i / tiles);
    store.rows = static_cast<int>(static_cast<long>(rows) * (i + 1) / tiles) - m;
    store.c = c + m * c_stride + column;
    store.residual = epilogue.residual == nullptr
                         ? nullptr
                         : epilogue.residual + m * epilogue.residual_stride + column;
    const TileFunction tile =
        kTiles[static_cast<std::size_t>(vectors - 1)][static_cast<std::size_t>(store.rows - 1)];
    tile(panel, prepared + static_cast<std::size_t>(m) * prepared_stride, prepared_stride, next,
         lines, sums);
    const int fetched = std::min(lines, panel.steps);
    next += fetched * 64;
    lines -= fetched;
    StoreTile512(vectors, epilogue.activation, store);
  }
}

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* at = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    const Panel panel{at, Steps(k), p + 1 == panel_end ? nullptr : at + PanelBytes(k)};
    MultiplyPanel(panel, prepared, PreparedBytes(k), rows, n, p * kColumns, epilogue, c, c_stride);
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
