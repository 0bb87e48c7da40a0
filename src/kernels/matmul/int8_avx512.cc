// int8 on AVX-512 VNNI, by the tiles of dot_tiles_avx512-inl.h; a step is four values of k.
//
//   packed    panels of [int32 offset 48][f32 scale 48][int8 steps × 48 × 4]   (int8_avx512.h)
#if defined(__x86_64__)
#include "kernels/matmul/int8_avx512.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/epilogue_avx512.h"
#include "kernels/matmul/interleave.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)
namespace hone::kernels {
namespace {

using avx512::kColumns;
using avx512::kRows;
using avx512::kStepBytes;
using Dot = avx512::Int8Dot;

}  // namespace
}  // namespace hone::kernels

#include "kernels/matmul/dot_tiles_avx512-inl.h"

namespace hone::kernels {
namespace avx512 {
namespace {

// The largest magnitude of a row by comparing bits as integers: NaN is above infinity, so it stays.
float LargestMagnitude(const float* x, int k) {
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  __m512i largest[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                        _mm512_setzero_si512()};
  int i = 0;
  for (; i + 64 <= k; i += 64) {
    HONE_UNROLL for (int j = 0; j < 4; ++j) {
      largest[j] = _mm512_max_epi32(
          largest[j], _mm512_and_si512(_mm512_loadu_si512(x + i + j * 16), magnitude));
    }
  }
  for (; i < k; i += 16) {
    const __mmask16 mask = FirstLanes512(k - i);
    const __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
    largest[0] = _mm512_max_epi32(largest[0], _mm512_and_si512(_mm512_castps_si512(v), magnitude));
  }
  const __m512i all = _mm512_max_epi32(_mm512_max_epi32(largest[0], largest[1]),
                                       _mm512_max_epi32(largest[2], largest[3]));
  __m256i half = _mm256_max_epi32(_mm512_castsi512_si256(all), _mm512_extracti64x4_epi64(all, 1));
  __m128i quarter = _mm_max_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  quarter = _mm_max_epi32(quarter, _mm_shuffle_epi32(quarter, 0x4E));
  quarter = _mm_max_epi32(quarter, _mm_shuffle_epi32(quarter, 0xB1));
  const std::int32_t bits = _mm_cvtsi128_si32(quarter);
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// 16 values as q + 128. What is not a number converts to the least integer, and that saturates.
__m128i Quantize16(__m512 x, __m512 inverse) {
  const __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(x, inverse));
  return _mm_xor_si128(_mm512_cvtsepi32_epi8(q), _mm_set1_epi8(static_cast<char>(0x80)));
}

void PrepareRow(const float* x, int k, std::byte* prepared) {
  const float scale = LargestMagnitude(x, k) / 127.0f;
  // As in quant/int8.cc: a row whose reciprocal scale overflows is zero for every purpose.
  const __m512 inverse = _mm512_set1_ps(scale >= 1e-37f ? 1.0f / scale : 0.0f);
  std::memcpy(prepared, &scale, sizeof scale);
  std::byte* q = prepared + kHeaderBytes;
  int i = 0;
  for (; i + 64 <= k; i += 64) {
    __m512i v[4];
    HONE_UNROLL for (int j = 0; j < 4; ++j) {
      v[j] = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(x + i + j * 16), inverse));
    }
    // Packing works within 128-bit lanes; the permutation puts the dwords back in order.
    const __m512i packed =
        _mm512_packs_epi16(_mm512_packs_epi32(v[0], v[1]), _mm512_packs_epi32(v[2], v[3]));
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i bytes = _mm512_permutexvar_epi32(order, packed);
    _mm512_storeu_si512(q + i, _mm512_xor_si512(bytes, _mm512_set1_epi8(static_cast<char>(0x80))));
  }
  for (; i < k; i += 16) {
    const __mmask16 mask = FirstLanes512(k - i);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(q + i),
                     Quantize16(_mm512_maskz_loadu_ps(mask, x + i), inverse));
  }
}

}  // namespace

std::size_t PreparedBytes(int k) {
  return kHeaderBytes + (static_cast<std::size_t>(k) + 63) / 64 * 64;
}

void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  const std::size_t stride = PreparedBytes(k);
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += stride) PrepareRow(x, k, prepared);
}

void MultiplyPanel(const Int8Panel& panel, int first_tile, const std::byte* prepared,
                   std::size_t prepared_stride, int rows, int n, int column,
                   const Epilogue& epilogue, float* c, std::ptrdiff_t c_stride) {
  TilesTimesPanel(panel, first_tile, Tiles(rows), NothingAhead(), prepared, prepared_stride, rows,
                  n, column, epilogue, c, c_stride);
}

}  // namespace avx512

namespace {

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
    TilesTimesPanel(panel, 0, Tiles(rows), NothingAhead(), prepared, avx512::PreparedBytes(k), rows,
                    n, p * kColumns, epilogue, c, c_stride);
  }
}

std::size_t ScratchBytes(int) {
  return 0;
}

}  // namespace

extern constinit const MatMulKernel kInt8Avx512 = {"int8_avx512",
                                                   quant::Format::kInt8,
                                                   base::Isa::kAvx512,
                                                   avx512::kRows,
                                                   avx512::kColumns,
                                                   "vpdpbusd zmm",
                                                   PackedBytes,
                                                   avx512::PreparedBytes,
                                                   Pack,
                                                   avx512::Prepare,
                                                   Multiply,
                                                   ScratchBytes,
                                                   127};

}  // namespace hone::kernels
HONE_TARGET_END
#endif
