// int8 on plain AVX2: vpmaddubsw adds two byte products in int16, where it saturates above 32767.
//
// Activations of 7 bits (q in ±63, stored as q + 64 in 1 … 127) make one vpmaddubsw exact for any
// int8 weights: 127 · 2 · 127 = 32258. Beyond that the sums of several fit before they are widened
// wherever the positive, and the negative, weights of a sum add up to no more than 258, since 127 ·
// 258 < 32767. Packing knows the weights, so it sorts each panel's blocks of 16 k by how many
// products may be summed first:
//
//            summed first   instructions for 64 weights   share of MiniLM's blocks
//   quads    4 products     4.5                           a third
//   pairs    2 products     5                             nearly all the others
//   singles  none           6
//
// The order of k does not matter to an exact sum; each block says which activations it belongs to.
//
//   packed    panels of [int32 offset 16][f32 scale 16][int32 quads, pairs, blocks, to 64 bytes]
//             [int32 first k of each block, to 64 bytes][int8 blocks × 4 steps × 16 × 4]
//   offset    -64 · Σ_k of each column, which takes the 64 out again
//   prepared  f32 scale, 60 bytes of padding, u8 [K]
//   tile      3 rows × 16 columns: 6 int32 sums, 6 int16 sums, two weights, an activation and the
//             ones
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "kernels/matmul/epilogue_avx2.h"
#include "kernels/matmul/prepare_avx2.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

constexpr int kRows = 3, kColumns = 16, kVectors = 2;
constexpr int kBlock = 16;  // k
constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kStepBytes = kColumns * 4;
constexpr std::size_t kBlockBytes = kBlock / 4 * kStepBytes;
constexpr int kLimit = 63, kZero = 64;
constexpr int kMaxSum = 32767 / 127;  // of the weights of one sign in an int16 sum

// What a panel begins with.
struct PanelHeader {
  std::int32_t offset[kColumns];
  float scale[kColumns];
  std::int32_t quads, pairs, blocks;  // how many of each; the rest are singles
  std::int32_t padding[13];
};
static_assert(sizeof(PanelHeader) == 192);

std::size_t Blocks(int k) {
  return static_cast<std::size_t>((k + kBlock - 1) / kBlock);
}

std::size_t OrderBytes(int k) {
  return (Blocks(k) * sizeof(std::int32_t) + 63) / 64 * 64;
}

std::size_t PanelBytes(int k) {
  return sizeof(PanelHeader) + OrderBytes(k) + Blocks(k) * kBlockBytes;
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

std::size_t PreparedBytes(int k) {
  return kHeaderBytes + (static_cast<std::size_t>(k) + 63) / 64 * 64;
}

// True where, in a block [4][16][4], the products of `steps` steps fit in int16 together.
bool Fits(const std::int8_t* block, std::size_t steps) {
  for (std::size_t first = 0; first < 4; first += steps) {
    for (std::size_t lane = 0; lane < kStepBytes; lane += 2) {
      int positive = 0, negative = 0;
      for (std::size_t s = first; s < first + steps; ++s) {
        for (std::size_t i = 0; i < 2; ++i) {
          const int w = block[s * kStepBytes + lane + i];
          (w > 0 ? positive : negative) += std::abs(w);
        }
      }
      if (std::max(positive, negative) > kMaxSum) return false;
    }
  }
  return true;
}

// One block of a panel's columns; adds its values to the columns' sums.
void FillBlock(const WeightRows& weights, int column, std::size_t block, std::int8_t* out,
               std::int32_t* sums) {
  std::memset(out, 0, kBlockBytes);
  const int first = static_cast<int>(block) * kBlock;
  for (int j = 0; j < std::min(kColumns, weights.n - column); ++j) {
    const auto* row =
        reinterpret_cast<const std::int8_t*>(weights.row[static_cast<std::size_t>(column + j)]);
    for (int i = 0; i < std::min(kBlock, weights.k - first); ++i) {
      out[i / 4 * static_cast<int>(kStepBytes) + j * 4 + i % 4] = row[first + i];
      sums[j] += row[first + i];
    }
  }
}

void PackPanel(const WeightRows& weights, int column, std::byte* panel) {
  const std::size_t blocks = Blocks(weights.k);
  std::vector<std::int8_t> values(blocks * kBlockBytes);
  std::array<std::vector<std::size_t>, 3> kinds;  // quads, pairs, singles
  PanelHeader header{};
  for (std::size_t b = 0; b < blocks; ++b) {
    std::int8_t* block = &values[b * kBlockBytes];
    FillBlock(weights, column, b, block, header.offset);
    kinds[Fits(block, 4) ? 0 : Fits(block, 2) ? 1 : 2].push_back(b);
  }
  for (std::size_t j = 0; j < kColumns; ++j) {
    header.offset[j] *= -kZero;
    const std::size_t n = static_cast<std::size_t>(column) + j;
    if (n < weights.scale.size()) header.scale[j] = weights.scale[n];
  }
  header.quads = static_cast<std::int32_t>(kinds[0].size());
  header.pairs = static_cast<std::int32_t>(kinds[1].size());
  header.blocks = static_cast<std::int32_t>(blocks);
  std::memcpy(panel, &header, sizeof header);
  auto* order = reinterpret_cast<std::int32_t*>(panel + sizeof header);
  std::byte* out = panel + sizeof header + OrderBytes(weights.k);
  for (const auto& kind : kinds) {
    for (const std::size_t b : kind) {
      *order++ = static_cast<std::int32_t>(b) * kBlock;
      std::memcpy(out, &values[b * kBlockBytes], kBlockBytes);
      out += kBlockBytes;
    }
  }
}

void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  HONE_CHECK(weights.format == quant::Format::kInt8 && weights.k <= kMaxK);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    PackPanel(weights, panel * kColumns,
              packed + static_cast<std::size_t>(panel) * PanelBytes(weights.k));
  }
}

void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    std::byte* out = prepared + kHeaderBytes;
    const float scale = QuantizeRow256(x, k, kLimit, [out](int i, __m256i q) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + i),
                         _mm256_add_epi8(q, _mm256_set1_epi8(kZero)));
    });
    std::memcpy(prepared, &scale, sizeof scale);
  }
}

// One block of weights times kR rows, kSum products of each int16 lane summed before they are
// widened.
template <int kR, int kSum>
inline __attribute__((always_inline)) void MultiplyBlock(const std::byte* a, std::size_t a_stride,
                                                         const std::byte* b,
                                                         __m256i (&sum)[kR][kVectors]) {
  const __m256i ones = _mm256_set1_epi16(1);
  HONE_UNROLL for (int first = 0; first < 4; first += kSum) {
    __m256i words[kR][kVectors];
    HONE_UNROLL for (int s = first; s < first + kSum; ++s) {
      const auto* w = reinterpret_cast<const __m256i*>(b + s * static_cast<int>(kStepBytes));
      const __m256i w0 = _mm256_load_si256(w), w1 = _mm256_load_si256(w + 1);
      HONE_UNROLL for (int r = 0; r < kR; ++r) {
        std::int32_t four;
        std::memcpy(&four, a + static_cast<std::size_t>(r) * a_stride + s * 4, sizeof four);
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

// Sums of kR rows from the offset on, stored to out [kR,16]. As many bytes from `next` on, unless it is
// null, are fetched into L2 on the way: at few rows the product is as fast as its weights arrive.
template <int kR>
void Tile(const std::byte* panel, std::size_t order_bytes, const std::byte* a, std::size_t a_stride,
          const std::byte* next, std::int32_t* out) {
  const auto& header = *reinterpret_cast<const PanelHeader*>(panel);
  const auto* order = reinterpret_cast<const std::int32_t*>(panel + sizeof(PanelHeader));
  const std::byte* b = panel + sizeof(PanelHeader) + order_bytes;
  __m256i sum[kR][kVectors];
  HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
    const __m256i offset = _mm256_load_si256(reinterpret_cast<const __m256i*>(header.offset) + v);
    HONE_UNROLL for (int r = 0; r < kR; ++r) sum[r][v] = offset;
  }
  std::int32_t i = 0;
  const auto fetch = [&]() __attribute__((always_inline)) {
    if (next == nullptr) return;
    HONE_UNROLL for (std::size_t line = 0; line < kBlockBytes; line += 64) {
      _mm_prefetch(reinterpret_cast<const char*>(next + line), _MM_HINT_T1);
    }
    next += kBlockBytes;
  };
  for (; i < header.quads; ++i, b += kBlockBytes) {
    fetch();
    MultiplyBlock<kR, 4>(a + order[i], a_stride, b, sum);
  }
  for (; i < header.quads + header.pairs; ++i, b += kBlockBytes) {
    fetch();
    MultiplyBlock<kR, 2>(a + order[i], a_stride, b, sum);
  }
  for (; i < header.blocks; ++i, b += kBlockBytes) {
    fetch();
    MultiplyBlock<kR, 1>(a + order[i], a_stride, b, sum);
  }
  HONE_UNROLL for (int r = 0; r < kR; ++r) {
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + r * kColumns + v * 8), sum[r][v]);
    }
  }
}

using TileFunction = void (*)(const std::byte*, std::size_t, const std::byte*, std::size_t,
                              const std::byte*, std::int32_t*);
constexpr std::array<TileFunction, kRows> kTiles = {Tile<1>, Tile<2>, Tile<3>};

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*) {
  alignas(32) std::int32_t sums[kRows * kColumns];
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* panel = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    const int column = p * kColumns;
    StoreArgs256 store =
        PanelStore256(reinterpret_cast<const PanelHeader*>(panel)->scale, PreparedBytes(k), n,
                      column, kColumns, epilogue, c_stride, sums);
    for (int m = 0; m < rows; m += kRows) {
      PlaceRows256(store, prepared, m, std::min(rows - m, kRows), column, epilogue, c);
      const std::byte* next = m == 0 && p + 1 < panel_end ? panel + PanelBytes(k) : nullptr;
      kTiles[static_cast<std::size_t>(store.rows - 1)](
          panel, OrderBytes(k), store.prepared + kHeaderBytes, store.prepared_stride, next, sums);
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
                                                 "2 vpmaddubsw + vpmaddwd ymm",
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
