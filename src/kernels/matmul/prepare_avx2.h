// One row of activations to bytes on AVX2: what the 256-bit integer kernels share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

// The largest magnitude by comparing bits as integers: NaN is above infinity, so it stays.
inline float LargestMagnitude256(const float* x, int k) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  __m256i largest[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                        _mm256_setzero_si256()};
  int i = 0;
  for (; i + 32 <= k; i += 32) {
    HONE_UNROLL for (int j = 0; j < 4; ++j) {
      const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i + j * 8));
      largest[j] = _mm256_max_epi32(largest[j], _mm256_and_si256(bits, magnitude));
    }
  }
  const __m256i all = _mm256_max_epi32(_mm256_max_epi32(largest[0], largest[1]),
                                       _mm256_max_epi32(largest[2], largest[3]));
  __m128i four = _mm_max_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xB1));
  std::int32_t bits = _mm_cvtsi128_si32(four);
  for (; i < k; ++i) {
    std::int32_t one;
    std::memcpy(&one, x + i, sizeof one);
    bits = std::max(bits, one & 0x7FFFFFFF);
  }
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// 32 values as rounded bytes, in order. What is not a number converts to the least integer, and
// that saturates.
inline __m256i Quantize32(const float* x, __m256 inverse) {
  __m256i v[4];
  HONE_UNROLL for (int j = 0; j < 4; ++j) {
    v[j] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + j * 8), inverse));
  }
  // Packing works within 128-bit lanes; the permutation puts the dwords back in order.
  const __m256i packed =
      _mm256_packs_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
  return _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// Calls store(i, bytes) for every 32 of k; beyond k the bytes are 0. Returns the row's scale.
template <typename Store>
inline float QuantizeRow256(const float* x, int k, float limit, const Store& store) {
  const float scale = LargestMagnitude256(x, k) / limit;
  // As in quant/int8.cc: a row whose reciprocal scale overflows is zero for every purpose.
  const __m256 inverse = _mm256_set1_ps(scale >= 1e-37f ? 1.0f / scale : 0.0f);
  int i = 0;
  for (; i + 32 <= k; i += 32) store(i, Quantize32(x + i, inverse));
  if (i < k) {
    float rest[32] = {};
    std::memcpy(rest, x + i, static_cast<std::size_t>(k - i) * sizeof(float));
    store(i, Quantize32(rest, inverse));
  }
  return scale;
}

}  // namespace
}  // namespace hone::kernels
HONE_TARGET_END
