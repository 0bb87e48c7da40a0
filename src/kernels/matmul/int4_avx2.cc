// int4 on plain AVX2: unsigned nibbles times signed 8-bit activations. The 16 products that a group
// puts into one int16 lane sum exactly, 16 · 15 · 127 = 30480, and the widening vpmaddwd that must
// follow multiplies by the group's scale s instead of by one, for nothing. What the zero points
// take away, Σ_g s·z·Σ_{k in g} a, is where the int32 sums begin: one vpmaddwd for two groups, from
// sums that prepare leaves with each row.
//
//   packed    panels of [f32 scale 16][u8 groups × (s 16)][u8 groups × (s·z 16)]
//             [u8 groups × 4 × 16 × 4]: of a group's eight steps of four k, byte block p holds step
//             2p in its low nibbles and step 2p+1 in its high ones. The number of groups is made
//             even; s is 0 beyond.
//   scratch   the panel with a byte for each nibble, s and s·z as the int16 pairs that vpmaddwd
//             takes: [int16 groups × 16 × 2][int16 groups/2 × 16 × 2][u8 groups × 8 × 16 × 4]
//   prepared  f32 scale, 60 bytes of padding, int8 [groups × 32], int16 Σ a [groups]
//   tile      3 rows × 16 columns, as int8_avx2.cc
#if defined(__x86_64__)
#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/epilogue_avx2.h"
#include "kernels/matmul/int4_panels.h"
#include "kernels/matmul/next_panel.h"
#include "kernels/matmul/prepare_avx2.h"
#include "kernels/matmul/x86.h"
#include "quant/int4.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

constexpr int kRows = 3, kColumns = 16, kVectors = 2;
constexpr std::size_t kHeaderBytes = 64;
constexpr std::size_t kStepBytes = kColumns * 4;
constexpr std::size_t kGroupSteps = quant::kInt4Group / 4;
constexpr std::size_t kScaleBytes = kColumns * sizeof(float);
constexpr std::size_t kPackedGroupBytes = kGroupSteps / 2 * kStepBytes;
constexpr std::size_t kPairBytes = kColumns * 2 * sizeof(std::int16_t);

// Rounded up to even, so that two groups' zero points make one vpmaddwd.
std::size_t Groups(int k) {
  return (static_cast<std::size_t>(quant::Int4Groups(k)) + 1) / 2 * 2;
}

std::size_t PanelBytes(int k) {
  return kScaleBytes + Groups(k) * (2 * kColumns + kPackedGroupBytes);
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

std::size_t PreparedBytes(int k) {
  const std::size_t bytes = kHeaderBytes + Groups(k) * (quant::kInt4Group + sizeof(std::int16_t));
  return (bytes + 63) / 64 * 64;
}

std::size_t ScratchBytes(int k) {
  return Groups(k) * (kPairBytes + kPairBytes / 2 + kGroupSteps * kStepBytes);
}

void PackColumn(const WeightRows& weights, std::size_t n, std::size_t j, std::byte* panel) {
  const std::size_t groups = Groups(weights.k);
  auto* s_out = reinterpret_cast<std::uint8_t*>(panel + kScaleBytes);
  std::uint8_t* sz_out = s_out + groups * kColumns;
  std::uint8_t* blocks = sz_out + groups * kColumns;
  const auto* nibbles = reinterpret_cast<const std::uint8_t*>(weights.row[n]);
  reinterpret_cast<float*>(panel)[j] = weights.scale[n];
  for (std::size_t k = 0; k < static_cast<std::size_t>(weights.k); ++k) {
    const std::size_t g = k / quant::kInt4Group, step = k % quant::kInt4Group / 4;
    const std::uint8_t s = weights.group_scale[n][g], z = weights.group_zero[n][g];
    s_out[g * kColumns + j] = s;
    sz_out[g * kColumns + j] = static_cast<std::uint8_t>(s * z);
    const int q = nibbles[k / 2] >> (k % 2 * 4) & 15;
    std::uint8_t& byte = blocks[g * kPackedGroupBytes + step / 2 * kStepBytes + j * 4 + k % 4];
    byte = static_cast<std::uint8_t>(byte | q << (step % 2 * 4));
  }
}

void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  PackInt4Panels<kColumns>(weights, panel_begin, panel_end, packed, PanelBytes(weights.k),
                           PackColumn);
}

// Beyond K activations are 0, and so count neither in products nor in their group's sum.
void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  const std::size_t groups = Groups(k);
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    std::byte* q_out = prepared + kHeaderBytes;
    auto* sums = reinterpret_cast<std::int16_t*>(q_out + groups * quant::kInt4Group);
    std::memset(sums + groups - 2, 0, 2 * sizeof(std::int16_t));
    std::memset(q_out + (groups - 1) * quant::kInt4Group, 0, quant::kInt4Group);
    const float scale = QuantizeRow256(x, k, 127.0f, [=](int i, __m256i q) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(q_out + i), q);
      // -128, which only an infinity or NaN makes, is the one byte whose absolute value would not
      // fit; the row is not finite anyway.
      const __m256i pairs = _mm256_maddubs_epi16(_mm256_set1_epi8(1), q);
      const __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
      __m128i four =
          _mm_add_epi32(_mm256_castsi256_si128(fours), _mm256_extracti128_si256(fours, 1));
      four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
      four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xB1));
      sums[i / quant::kInt4Group] = static_cast<std::int16_t>(_mm_cvtsi128_si32(four));
    });
    std::memcpy(prepared, &scale, sizeof scale);
  }
}

struct Expanded {
  const std::byte* s;      // [groups][16][2] int16, both the group's s
  const std::byte* sz;     // [groups/2][16][2] int16, of two groups
  const std::byte* bytes;  // [groups][8][16][4]
};

Expanded Lay(std::byte* scratch, std::size_t groups) {
  return {scratch, scratch + groups * kPairBytes, scratch + groups * (kPairBytes + kPairBytes / 2)};
}

__m256i Load(const std::byte* p) {
  return _mm256_load_si256(reinterpret_cast<const __m256i*>(p));
}

void Store(std::byte* p, __m256i v) {
  _mm256_store_si256(reinterpret_cast<__m256i*>(p), v);
}

void ExpandPanel(const std::byte* panel, std::size_t groups, std::byte* scratch) {
  const std::byte* s = panel + kScaleBytes;
  const std::byte* sz = s + groups * kColumns;
  const std::byte* blocks = sz + groups * kColumns;
  const auto words = [](const std::byte* fields) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(fields)));
  };
  const Expanded lay = Lay(scratch, groups);
  std::byte* out = scratch;
  for (std::size_t i = 0; i < groups * kColumns; i += 8, out += 32) {
    const __m256i low = words(s + i);
    Store(out, _mm256_or_si256(low, _mm256_slli_epi32(low, 16)));
  }
  for (std::size_t g = 0; g < groups; g += 2) {
    for (std::size_t j = 0; j < kColumns; j += 8, out += 32) {
      const __m256i high = words(sz + (g + 1) * kColumns + j);
      Store(out, _mm256_or_si256(words(sz + g * kColumns + j), _mm256_slli_epi32(high, 16)));
    }
  }
  HONE_CHECK(out == lay.bytes);
  const __m256i low_nibble = _mm256_set1_epi8(0x0F);
  for (std::size_t i = 0; i < groups * kGroupSteps / 2; ++i, out += 2 * kStepBytes) {
    HONE_UNROLL for (std::size_t v = 0; v < kStepBytes; v += 32) {
      const __m256i both = Load(blocks + i * kStepBytes + v);
      Store(out + v, _mm256_and_si256(both, low_nibble));
      Store(out + kStepBytes + v, _mm256_and_si256(_mm256_srli_epi16(both, 4), low_nibble));
    }
  }
}

__m256i Broadcast(const std::byte* p) {
  std::int32_t four;
  std::memcpy(&four, p, sizeof four);
  return _mm256_set1_epi32(four);
}

// Sums of kR rows, stored to out [kR,16].
template <int kR>
void Tile(const Expanded& w, std::size_t groups, const std::byte* a, std::size_t a_stride,
          NextPanel& next, std::int32_t* out) {
  __m256i sum[kR][kVectors];
  HONE_UNROLL for (int r = 0; r < kR; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  const std::byte* group_sums = a + groups * quant::kInt4Group;
  for (std::size_t g = 0; g < groups; g += 2) {
    const std::byte* sz = w.sz + g / 2 * kPairBytes;
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      const __m256i x =
          Broadcast(group_sums + static_cast<std::size_t>(r) * a_stride + g * sizeof(std::int16_t));
      sum[r][0] = _mm256_sub_epi32(sum[r][0], _mm256_madd_epi16(x, Load(sz)));
      sum[r][1] = _mm256_sub_epi32(sum[r][1], _mm256_madd_epi16(x, Load(sz + 32)));
    }
  }
  const std::byte* b = w.bytes;
  for (std::size_t g = 0; g < groups; ++g, a += quant::kInt4Group) {
    next.AskForSome();
    __m256i words[kR][kVectors];
    HONE_UNROLL for (int s = 0; s < static_cast<int>(kGroupSteps); ++s, b += kStepBytes) {
      const __m256i w0 = Load(b), w1 = Load(b + 32);
      HONE_UNROLL for (int r = 0; r < kR; ++r) {
        const __m256i x = Broadcast(a + static_cast<std::size_t>(r) * a_stride + s * 4);
        const __m256i p0 = _mm256_maddubs_epi16(w0, x), p1 = _mm256_maddubs_epi16(w1, x);
        words[r][0] = s == 0 ? p0 : _mm256_add_epi16(words[r][0], p0);
        words[r][1] = s == 0 ? p1 : _mm256_add_epi16(words[r][1], p1);
        HONE_KEEP(words[r][0]);
        HONE_KEEP(words[r][1]);
      }
    }
    const std::byte* scale = w.s + g * kPairBytes;
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

using TileFunction = void (*)(const Expanded&, std::size_t, const std::byte*, std::size_t,
                              NextPanel&, std::int32_t*);
constexpr std::array<TileFunction, kRows> kTiles = {Tile<1>, Tile<2>, Tile<3>};

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte* scratch) {
  alignas(32) std::int32_t sums[kRows * kColumns];
  const std::size_t groups = Groups(k);
  const Expanded weights = Lay(scratch, groups);
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* panel = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    const int column = p * kColumns;
    ExpandPanel(panel, groups, scratch);
    StoreArgs256 store = PanelStore256(reinterpret_cast<const float*>(panel), PreparedBytes(k), n,
                                       column, kColumns, epilogue, c_stride, sums);
    NextPanel next(p + 1 < panel_end ? panel + PanelBytes(k) : nullptr, PanelBytes(k), groups,
                   (rows + kRows - 1) / kRows);
    for (int m = 0; m < rows; m += kRows) {
      PlaceRows256(store, prepared, m, std::min(rows - m, kRows), column, epilogue, c);
      kTiles[static_cast<std::size_t>(store.rows - 1)](
          weights, groups, store.prepared + kHeaderBytes, store.prepared_stride, next, sums);
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
                                                 127};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
