// Rows of activations as vpmaddubsw wants them: q in ±63, stored as q + 64, so that a product with any
// int8 weight fits in 15 bits and two of them, which it adds, in 16 (127 · 2 · 127 = 32258).
//
//   prepared  f32 scale, 60 bytes of padding, u8 [K], to 64 bytes. Beyond K they are 64 to a multiple of 32.
#pragma once

#include <cstddef>
#include <cstring>

#include "kernels/matmul/prepare_avx2.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

inline constexpr std::size_t kHeaderBytes = 64;
inline constexpr int kLimit = 63, kZero = 64;

inline std::size_t PreparedBytes(int k) {
  return kHeaderBytes + (static_cast<std::size_t>(k) + 63) / 64 * 64;
}

inline void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    std::byte* out = prepared + kHeaderBytes;
    const float scale = QuantizeRow256(x, k, kLimit, [out](int i, __m256i q) {
      _mm256_store_si256(reinterpret_cast<__m256i*>(out + i),
                         _mm256_add_epi8(q, _mm256_set1_epi8(kZero)));
    });
    std::memcpy(prepared, &scale, sizeof scale);
  }
}

}  // namespace
}  // namespace hone::kernels
HONE_TARGET_END
