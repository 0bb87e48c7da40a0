// int8 on plain AVX2: vpmaddubsw adds two byte products in int16, where it saturates above 32767.
//
// Activations of 7 bits (unsigned7_avx2.h) make one vpmaddubsw exact for any int8 weights. Beyond that
// the sums of several fit before they are widened wherever the positive, and the negative, weights of a sum stay small enough. Packing knows the
// weights, so it puts the steps of four k into an order (int8_avx2_order.h) in which most can be:
//
//            summed first   instructions for 64 weights   share of MiniLM's steps
//   quads    4 products     4.5                           nine tenths
//   pairs    2 products     5                             nearly all the others
//   singles  none           6
//
//   packed    panels of [int32 offset 16][f32 scale 16][int32 quads, pairs, blocks, to 64 bytes]
//             [u16 k/4 of each step, to 64 bytes][int8 blocks × 4 steps × 16 × 4]
//   offset    -64 · Σ_k of each column, which takes the 64 out again
//   tile      3 rows × 16 columns: 6 int32 sums, 6 int16 sums, two weights, an activation and the
//             ones
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <cstring>

#include "base/aligned_buffer.h"
#include "base/check.h"
#include "kernels/matmul/epilogue_avx2.h"
#include "kernels/matmul/int8_avx2_order.h"
#include "kernels/matmul/next_panel.h"
#include "kernels/matmul/unsigned7_avx2.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

constexpr int kRows = 3, kColumns = 16, kVectors = 2;
constexpr int kBlock = 16, kSteps = kBlock / 4;  // k; steps of four k
constexpr std::size_t kStepBytes = kColumns * 4;
constexpr std::size_t kBlockBytes = kSteps * kStepBytes;

// What a panel begins with.
struct PanelHeader {
  std::int32_t offset[kColumns];
  float scale[kColumns];
  std::int32_t quads, pairs, blocks;  // blocks of quads, of pairs, of all; the rest are singles
  std::int32_t padding[13];
};
static_assert(sizeof(PanelHeader) == 192);

std::size_t Blocks(int k) {
  return static_cast<std::size_t>((k + kBlock - 1) / kBlock);
}

std::size_t OrderBytes(int k) {
  return (Blocks(k) * kSteps * sizeof(std::uint16_t) + 63) / 64 * 64;
}

std::size_t PanelBytes(int k) {
  return sizeof(PanelHeader) + OrderBytes(k) + Blocks(k) * kBlockBytes;
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

// The panel's weights [steps][16][4] in the order of k; zeros beyond N and K.
base::AlignedVector<std::int8_t> PanelSteps(const WeightRows& weights, int column) {
  base::AlignedVector<std::int8_t> steps(Blocks(weights.k) * kBlockBytes);
  const auto k = static_cast<std::size_t>(weights.k);
  for (int j = 0; j < std::min(kColumns, weights.n - column); ++j) {
    const std::byte* row =
        weights.row[static_cast<std::size_t>(column) + static_cast<std::size_t>(j)];
    std::size_t at = static_cast<std::size_t>(j) * 4, i = 0;
    for (; i + 4 <= k; i += 4, at += kStepBytes) std::memcpy(&steps[at], row + i, 4);
    if (i < k) std::memcpy(&steps[at], row + i, k - i);
  }
  return steps;
}

// Σ_k of each column.
void SumColumns(const base::AlignedVector<std::int8_t>& steps, std::int32_t (&sums)[kColumns]) {
  const __m256i ones8 = _mm256_set1_epi8(1), ones16 = _mm256_set1_epi16(1);
  __m256i sum[kVectors] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
  for (std::size_t s = 0; s < steps.size(); s += kStepBytes) {
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const __m256i pairs = _mm256_maddubs_epi16(ones8, Load32(&steps[s] + v * 32));
      sum[v] = _mm256_add_epi32(sum[v], _mm256_madd_epi16(pairs, ones16));
    }
  }
  HONE_UNROLL for (int v = 0; v < kVectors; ++v) Store32(sums + v * 8, sum[v]);
}

void PackPanel(const WeightRows& weights, int column, std::byte* panel) {
  const std::size_t steps = Blocks(weights.k) * kSteps;
  alignas(32) PanelHeader header{};
  const base::AlignedVector<std::int8_t> values = PanelSteps(weights, column);
  SumColumns(values, header.offset);
  const StepOrder order = StepSorter(values.data(), steps).Sort();
  for (std::size_t j = 0; j < kColumns; ++j) {
    header.offset[j] *= -kZero;
    const std::size_t n = static_cast<std::size_t>(column) + j;
    if (n < weights.scale.size()) header.scale[j] = weights.scale[n];
  }
  header.quads = static_cast<std::int32_t>(order.quads);
  header.pairs = static_cast<std::int32_t>(order.pairs / 2);
  header.blocks = static_cast<std::int32_t>(Blocks(weights.k));
  std::memcpy(panel, &header, sizeof header);
  std::memcpy(panel + sizeof header, order.steps.data(), steps * sizeof(std::uint16_t));
  std::byte* out = panel + sizeof header + OrderBytes(weights.k);
  for (std::size_t i = 0; i < steps; ++i) {
    std::memcpy(out + i * kStepBytes, &values[order.steps[i] * kStepBytes], kStepBytes);
  }
}

void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  HONE_CHECK(weights.format == quant::Format::kInt8 && weights.k <= kMaxK);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    PackPanel(weights, panel * kColumns,
              packed + static_cast<std::size_t>(panel) * PanelBytes(weights.k));
  }
}

// One block of weights, whose steps are those of `order`, times kR rows, kSum products of each int16
// lane summed before they are widened.
template <int kR, int kSum>
inline __attribute__((always_inline)) void MultiplyBlock(const std::byte* a, std::size_t a_stride,
                                                         const std::uint16_t* order,
                                                         const std::byte* b,
                                                         __m256i (&sum)[kR][kVectors]) {
  const __m256i ones = _mm256_set1_epi16(1);
  HONE_UNROLL for (int first = 0; first < 4; first += kSum) {
    __m256i words[kR][kVectors];
    HONE_UNROLL for (int s = first; s < first + kSum; ++s) {
      const auto* w = reinterpret_cast<const __m256i*>(b + s * static_cast<int>(kStepBytes));
      const __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
      const std::byte* step = a + std::size_t{order[s]} * 4;
      HONE_UNROLL for (int r = 0; r < kR; ++r) {
        std::int32_t four;
        std::memcpy(&four, step + static_cast<std::size_t>(r) * a_stride, sizeof four);
        const __m256i x = _mm256_set1_epi32(four);
        const __m256i p0 = _mm256_maddubs_epi16(x, w0), p1 = _mm256_maddubs_epi16(x, w1);
        words[r][0] = s == first ? p0 : _mm256_add_epi16(words[r][0], p0);
        words[r][1] = s == first ? p1 : _mm256_add_epi16(words[r][1], p1);
        HONE_KEEP(words[r][0]);
        HONE_KEEP(words[r][1]);
      }
    }
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
        sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(words[r][v], ones));
      }
    }
  }
}

// Sums of kR rows from the offset on, stored to out [kR,16].
template <int kR>
void Tile(const std::byte* panel, std::size_t order_bytes, const std::byte* a, std::size_t a_stride,
          NextPanel& next, std::int32_t* out) {
  const auto& header = *reinterpret_cast<const PanelHeader*>(panel);
  const auto* order = reinterpret_cast<const std::uint16_t*>(panel + sizeof(PanelHeader));
  const std::byte* b = panel + sizeof(PanelHeader) + order_bytes;
  __m256i sum[kR][kVectors];
  HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
    const __m256i offset = _mm256_load_si256(reinterpret_cast<const __m256i*>(header.offset) + v);
    HONE_UNROLL for (int r = 0; r < kR; ++r) sum[r][v] = offset;
  }
  std::int32_t i = 0;
  for (; i < header.quads; ++i, order += kSteps, b += kBlockBytes) {
    next.AskForSome();
    MultiplyBlock<kR, 4>(a, a_stride, order, b, sum);
  }
  for (; i < header.quads + header.pairs; ++i, order += kSteps, b += kBlockBytes) {
    next.AskForSome();
    MultiplyBlock<kR, 2>(a, a_stride, order, b, sum);
  }
  for (; i < header.blocks; ++i, order += kSteps, b += kBlockBytes) {
    next.AskForSome();
    MultiplyBlock<kR, 1>(a, a_stride, order, b, sum);
  }
  HONE_UNROLL for (int r = 0; r < kR; ++r) {
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + r * kColumns + v * 8), sum[r][v]);
    }
  }
}

using TileFunction = void (*)(const std::byte*, std::size_t, const std::byte*, std::size_t,
                              NextPanel&, std::int32_t*);
constexpr std::array<TileFunction, kRows> kTiles = {Tile<1>, Tile<2>, Tile<3>};

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*, const Upcoming& next) {
  alignas(32) std::int32_t sums[kRows * kColumns];
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* panel = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    const int column = p * kColumns;
    StoreArgs256 store =
        PanelStore256(reinterpret_cast<const PanelHeader*>(panel)->scale, PreparedBytes(k), n,
                      column, kColumns, epilogue, c_stride, sums);
    NextPanel ahead(AfterPanel(panel, PanelBytes(k), p + 1 < panel_end, next), Blocks(k),
                    (rows + kRows - 1) / kRows);
    for (int m = 0; m < rows; m += kRows) {
      PlaceRows256(store, prepared, m, std::min(rows - m, kRows), column, epilogue, c);
      kTiles[static_cast<std::size_t>(store.rows - 1)](
          panel, OrderBytes(k), store.prepared + kHeaderBytes, store.prepared_stride, ahead, sums);
      StoreTile256<kVectors>(epilogue.activation, store);
    }
  }
}

std::size_t ScratchBytes(int) {
  return 0;
}

}  // namespace

extern constinit const MatMulKernel kInt8Avx2 = {"int8_avx2",
                                                 quant::Format::kInt8,
                                                 base::Isa::kAvx2,
                                                 kRows,
                                                 kColumns,
                                                 "4 vpmaddubsw + vpmaddwd ymm",
                                                 PackedBytes,
                                                 PreparedBytes,
                                                 Pack,
                                                 Prepare,
                                                 Multiply,
                                                 ScratchBytes,
                                                 kLimit};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
