// int4 on plain AVX2: a panel is expanded to the bytes q - z, in ±15. The 16 products that a group then
// puts into one int16 lane sum exactly with activations of 7 bits (unsigned7_avx2.h), 16 · 15 · 127 =
// 30480, and the widening vpmaddwd that must follow multiplies by the group's scale s instead of by one,
// for nothing. (Activations of 8 bits would want the nibbles as the unsigned factor, and one more product
// for what the zero points take away: a model took 4 % longer so, and STS-B came out 0.03 higher.)
//
//   packed    panels of [int32 offset 16][f32 scale 16][u8 groups × (s 16)][u8 groups × (z 16)]
//             [u8 groups × 4 × 16 × 4]: of a group's eight steps of four k, byte block p holds step
//             2p in its low nibbles and step 2p+1 in its high ones
//   offset    -64 · Σ_k s (q - z) of each column, which takes out the 64 that the activations have
//   scratch   the panel with a byte for each nibble, and s as the int16 pairs that vpmaddwd takes:
//             [int16 groups × 16 × 2][int8 groups × 8 × 16 × 4]
//   tile      3 rows × 16 columns, as int8_avx2.cc
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/epilogue_avx2.h"
#include "kernels/matmul/int4_panels.h"
#include "kernels/matmul/next_panel.h"
#include "kernels/matmul/unsigned7_avx2.h"
#include "kernels/matmul/x86.h"
#include "quant/int4.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

constexpr int kRows = 3, kColumns = 16, kVectors = 2;
constexpr std::size_t kStepBytes = kColumns * 4;
constexpr std::size_t kGroupSteps = quant::kInt4Group / 4;
constexpr std::size_t kColumnBytes = kColumns * (sizeof(std::int32_t) + sizeof(float));
constexpr std::size_t kPackedGroupBytes = kGroupSteps / 2 * kStepBytes;
constexpr std::size_t kPairBytes = kColumns * 2 * sizeof(std::int16_t);

std::size_t Groups(int k) {
  return static_cast<std::size_t>(quant::Int4Groups(k));
}

// Fields to a vector's bytes, so that the nibbles are aligned.
std::size_t FieldBytes(int k) {
  return (Groups(k) * kColumns + 31) / 32 * 32;
}

std::size_t PanelBytes(int k) {
  return kColumnBytes + 2 * FieldBytes(k) + Groups(k) * kPackedGroupBytes;
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

std::size_t ScratchBytes(int k) {
  return Groups(k) * (kPairBytes + kGroupSteps * kStepBytes);
}

struct Panel {
  Panel(const std::byte* packed, int k)
      : offset(reinterpret_cast<const std::int32_t*>(packed)),
        scale(reinterpret_cast<const float*>(packed) + kColumns),
        s(packed + kColumnBytes),
        z(s + FieldBytes(k)),
        blocks(z + FieldBytes(k)) {}
  const std::int32_t* offset;
  const float* scale;
  const std::byte *s, *z, *blocks;
};

void PackColumn(const WeightRows& weights, std::size_t n, std::size_t j, std::byte* panel) {
  auto* s_out = reinterpret_cast<std::uint8_t*>(panel + kColumnBytes);
  std::uint8_t* z_out = s_out + FieldBytes(weights.k);
  std::uint8_t* blocks = z_out + FieldBytes(weights.k);
  const auto* nibbles = reinterpret_cast<const std::uint8_t*>(weights.row[n]);
  const auto k = static_cast<std::size_t>(weights.k);
  std::int32_t sum = 0;
  for (std::size_t g = 0; g < Groups(weights.k); ++g) {
    const int s = weights.group_scale[n][g], z = weights.group_zero[n][g];
    s_out[g * kColumns + j] = static_cast<std::uint8_t>(s);
    z_out[g * kColumns + j] = static_cast<std::uint8_t>(z);
    int nibble_sum = 0;
    for (std::size_t i = 0; i < quant::kInt4Group; ++i) {
      const std::size_t at = g * quant::kInt4Group + i, step = i / 4;
      const int q = at < k ? nibbles[at / 2] >> (at % 2 * 4) & 15 : 0;
      std::uint8_t& byte = blocks[g * kPackedGroupBytes + step / 2 * kStepBytes + j * 4 + i % 4];
      byte = static_cast<std::uint8_t>(byte | q << (step % 2 * 4));
      nibble_sum += q;
    }
    // Beyond K as well: the activations there are zero, stored as 64.
    sum += s * (nibble_sum - quant::kInt4Group * z);
  }
  reinterpret_cast<std::int32_t*>(panel)[j] = -kZero * sum;
  reinterpret_cast<float*>(panel)[kColumns + j] = weights.scale[n];
}

void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  PackInt4Panels<kColumns>(weights, panel_begin, panel_end, packed, PanelBytes(weights.k),
                           PackColumn);
}

__m256i Load(const std::byte* p) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
}

void Store(std::byte* p, __m256i v) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(p), v);
}

void ExpandPanel(const Panel& panel, std::size_t groups, std::byte* scratch) {
  std::byte* out = scratch;
  for (std::size_t i = 0; i < groups * kColumns; i += 8, out += 32) {
    const __m256i low =
        _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(panel.s + i)));
    Store(out, _mm256_or_si256(low, _mm256_slli_epi32(low, 16)));
  }
  const __m256i low_nibble = _mm256_set1_epi8(0x0F);
  // Four copies of each column's zero point, eight columns a vector.
  const __m256i four_of_each = _mm256_setr_epi8(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,  //
                                                4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7);
  const std::byte* blocks = panel.blocks;
  for (std::size_t g = 0; g < groups; ++g) {
    const __m256i z = _mm256_broadcastsi128_si256(
        _mm_load_si128(reinterpret_cast<const __m128i*>(panel.z + g * kColumns)));
    const __m256i zero[kVectors] = {
        _mm256_shuffle_epi8(z, four_of_each),
        _mm256_shuffle_epi8(z, _mm256_add_epi8(four_of_each, _mm256_set1_epi8(8)))};
    for (std::size_t i = 0; i < kGroupSteps / 2; ++i, blocks += kStepBytes, out += 2 * kStepBytes) {
      HONE_UNROLL for (std::size_t v = 0; v < kVectors; ++v) {
        const __m256i both = Load(blocks + v * 32);
        const __m256i low = _mm256_and_si256(both, low_nibble);
        const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), low_nibble);
        Store(out + v * 32, _mm256_sub_epi8(low, zero[v]));
        Store(out + kStepBytes + v * 32, _mm256_sub_epi8(high, zero[v]));
      }
    }
  }
}

__m256i Broadcast(const std::byte* p) {
  std::int32_t four;
  std::memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

// Sums of kR rows from the offset on, stored to out [kR,16].
template <int kR>
void Tile(const std::int32_t* offset, const std::byte* expanded, std::size_t groups,
          const std::byte* a, std::size_t a_stride, NextPanel& next, std::int32_t* out) {
  __m256i sum[kR][kVectors];
  HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
    const __m256i start = _mm256_load_si256(reinterpret_cast<const __m256i*>(offset) + v);
    HONE_UNROLL for (int r = 0; r < kR; ++r) sum[r][v] = start;
  }
  const std::byte* scale = expanded;
  const std::byte* b = expanded + groups * kPairBytes;
  for (std::size_t g = 0; g < groups; ++g, a += quant::kInt4Group, scale += kPairBytes) {
    next.AskForSome();
    __m256i words[kR][kVectors];
    HONE_UNROLL for (int s = 0; s < static_cast<int>(kGroupSteps); ++s, b += kStepBytes) {
      const __m256i w0 = Load(b), w1 = Load(b + 32);
      HONE_UNROLL for (int r = 0; r < kR; ++r) {
        const __m256i x = Broadcast(a + static_cast<std::size_t>(r) * a_stride + s * 4);
        const __m256i p0 = _mm256_maddubs_epi16(x, w0), p1 = _mm256_maddubs_epi16(x, w1);
        words[r][0] = s == 0 ? p0 : _mm256_add_epi16(words[r][0], p0);
        words[r][1] = s == 0 ? p1 : _mm256_add_epi16(words[r][1], p1);
        HONE_KEEP(words[r][0]);
        HONE_KEEP(words[r][1]);
      }
    }
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(words[r][0], Load(scale)));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(words[r][1], Load(scale + 32)));
    }
  }
  HONE_UNROLL for (int r = 0; r < kR; ++r) {
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + r * kColumns + v * 8), sum[r][v]);
    }
  }
}

using TileFunction = void (*)(const std::int32_t*, const std::byte*, std::size_t, const std::byte*,
                              std::size_t, NextPanel&, std::int32_t*);
constexpr std::array<TileFunction, kRows> kTiles = {Tile<1>, Tile<2>, Tile<3>};

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch, const Upcoming& next) {
  alignas(32) std::int32_t sums[kRows * kColumns];
  const std::size_t groups = Groups(k);
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* begin = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    const Panel panel(begin, k);
    const int column = p * kColumns;
    ExpandPanel(panel, groups, scratch);
    StoreArgs256 store =
        PanelStore256(panel.scale, PreparedBytes(k), n, column, kColumns, epilogue, c_stride, sums);
    NextPanel ahead(AfterPanel(begin, PanelBytes(k), p + 1 < panel_end, next), groups,
                    (rows + kRows - 1) / kRows);
    for (int m = 0; m < rows; m += kRows) {
      PlaceRows256(store, prepared, m, std::min(rows - m, kRows), column, epilogue, c);
      kTiles[static_cast<std::size_t>(store.rows - 1)](panel.offset, scratch, groups,
                                                       store.prepared + kHeaderBytes,
                                                       store.prepared_stride, ahead, sums);
      StoreTile256<kVectors>(epilogue.activation, store);
    }
  }
}

}  // namespace

extern constinit const MatMulKernel kInt4Avx2 = {"int4_avx2",
                                                 quant::Format::kInt4,
                                                 base::Isa::kAvx2,
                                                 kRows,
                                                 kColumns,
                                                 "8 vpmaddubsw + vpmaddwd ymm",
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
