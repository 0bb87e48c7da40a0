// int8 on 256-bit VNNI: 4 rows × 24 columns of int32 sums in 12 of the 16 registers, three weight
// vectors and one broadcast activation; 12 dot products for 7 loads.
//
//   packed    panels of [int32 offset 24][f32 scale 24][int8 steps × 24 × 4]   (int8_avxvnni.h)
#if defined(__x86_64__)
#include "kernels/matmul/int8_avxvnni.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/epilogue_avx2.h"
#include "kernels/matmul/interleave.h"
#include "kernels/matmul/prepare_avx2.h"
#include "kernels/matmul/x86.h"

#if defined(HONE_SIMDE)
// SIMDe 0.7.4 has the AVX-512 name of the instruction only.
#define HONE_DPBUSD _mm256_dpbusd_epi32
#else
#define HONE_DPBUSD _mm256_dpbusd_avx_epi32
#endif

HONE_TARGET_BEGIN(HONE_TARGET_AVXVNNI)
namespace hone::kernels {
namespace avxvnni {
namespace {

constexpr int kVectors = kColumns / 8;
constexpr std::size_t kHeaderBytes = 64;

// Sums of kR rows from the offset on, stored to out [kR,24]. `fetch` lines of `next` are requested on
// the way, one a step: at few rows the product is as fast as its weights arrive.
template <int kR>
void Tile(const Int8Panel& panel, const std::byte* a, std::size_t a_stride, const std::byte* next,
          int fetch, std::int32_t* out) {
  __m256i sum[kR][kVectors];
  HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
    const __m256i offset =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(panel.offset + v * 8));
    HONE_UNROLL for (int r = 0; r < kR; ++r) sum[r][v] = offset;
  }
  const std::byte* b = panel.weights;
  const auto step = [&](int s) __attribute__((always_inline)) {
    __m256i w[kVectors];
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      w[v] = _mm256_load_si256(reinterpret_cast<const __m256i*>(b + v * 32));
    }
    HONE_UNROLL for (int r = 0; r < kR; ++r) {
      std::int32_t four;
      std::memcpy(&four, a + static_cast<std::size_t>(r) * a_stride + s * 4, sizeof four);
      const __m256i x = _mm256_set1_epi32(four);
      HONE_UNROLL for (int v = 0; v < kVectors; ++v) sum[r][v] = HONE_DPBUSD(sum[r][v], x, w[v]);
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
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + r * kColumns + v * 8), sum[r][v]);
    }
  }
}

using TileFunction = void (*)(const Int8Panel&, const std::byte*, std::size_t, const std::byte*,
                              int, std::int32_t*);
constexpr std::array<TileFunction, kRows> kTiles = {Tile<1>, Tile<2>, Tile<3>, Tile<4>};

}  // namespace

std::size_t PreparedBytes(int k) {
  return kHeaderBytes + (static_cast<std::size_t>(k) + 63) / 64 * 64;
}

void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    std::byte* out = prepared + kHeaderBytes;
    const float scale = QuantizeRow256(x, k, 127.0f, [out](int i, __m256i q) {
      const __m256i shifted = _mm256_xor_si256(q, _mm256_set1_epi8(static_cast<char>(0x80)));
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + i), shifted);
    });
    std::memcpy(prepared, &scale, sizeof scale);
  }
}

void MultiplyPanel(const Int8Panel& panel, const std::byte* prepared, int k, int rows, int n,
                   int column, const Epilogue& epilogue, float* c, std::ptrdiff_t c_stride) {
  alignas(32) std::int32_t sums[kRows * kColumns];
  StoreArgs256 store =
      PanelStore256(panel.scale, PreparedBytes(k), n, column, kColumns, epilogue, c_stride, sums);
  const std::byte* next = panel.next.begin;
  auto lines = static_cast<int>((panel.next.bytes + 63) / 64);
  for (int m = 0; m < rows; m += kRows) {
    PlaceRows256(store, prepared, m, std::min(rows - m, kRows), column, epilogue, c);
    kTiles[static_cast<std::size_t>(store.rows - 1)](panel, store.prepared + kHeaderBytes,
                                                     store.prepared_stride, next, lines, sums);
    const int fetched = std::min(lines, panel.steps);
    next += fetched * 64;
    lines -= fetched;
    StoreTile256<kVectors>(epilogue.activation, store);
  }
}

}  // namespace avxvnni

namespace {

using avxvnni::kColumns;
using avxvnni::kStepBytes;

constexpr std::size_t kColumnBytes = kColumns * (sizeof(std::int32_t) + sizeof(float));

int Steps(int k) {
  return (k + 3) / 4;
}

std::size_t PanelBytes(int k) {
  return kColumnBytes + static_cast<std::size_t>(Steps(k)) * kStepBytes;
}

std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * PanelBytes(k);
}

void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  HONE_CHECK(weights.format == quant::Format::kInt8 && weights.k <= kMaxK);
  for (int panel = panel_begin; panel < panel_end; ++panel) {
    std::byte* out = packed + static_cast<std::size_t>(panel) * PanelBytes(weights.k);
    std::memset(out, 0, PanelBytes(weights.k));
    auto* offset = reinterpret_cast<std::int32_t*>(out);
    auto* scale = reinterpret_cast<float*>(offset + kColumns);
    std::byte* values = out + kColumnBytes;
    for (int j = 0; j < std::min(kColumns, weights.n - panel * kColumns); ++j) {
      const std::size_t n =
          static_cast<std::size_t>(panel) * kColumns + static_cast<std::size_t>(j);
      const auto* row = reinterpret_cast<const std::int8_t*>(weights.row[n]);
      const std::int32_t sum =
          InterleaveRow(row, weights.k, values + static_cast<std::size_t>(j) * 4, kStepBytes);
      offset[j] = -128 * sum;
      scale[j] = weights.scale[n];
    }
  }
}

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*, const Upcoming& next) {
  for (int p = panel_begin; p < panel_end; ++p) {
    const std::byte* at = packed + static_cast<std::size_t>(p) * PanelBytes(k);
    const Int8Panel panel =
        Int8PanelAt(at, PanelBytes(k), p + 1 < panel_end, next, kColumns, k, at + kColumnBytes);
    avxvnni::MultiplyPanel(panel, prepared, k, rows, n, p * kColumns, epilogue, c, c_stride);
  }
}

std::size_t ScratchBytes(int) {
  return 0;
}

}  // namespace

extern constinit const MatMulKernel kInt8AvxVnni = {"int8_avxvnni",
                                                    quant::Format::kInt8,
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
