// The vectors of AVX2 with VNNI as reduced-inl.h wants them: q, k in 8 bits, probabilities and values in
// 16. Included inside a target region (kernels/matmul/x86.h).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/attention/avx2_vectors.h"

namespace hone::kernels {
namespace {

struct AvxVnniVectors : Avx2Vectors {
  static constexpr int kKeyBits = 8, kValueBits = 16;
  static constexpr bool kUnsignedQueries = true;
  static constexpr int kRows = 6;  // 12 sums and 3 operands of 16 registers

  // As in avx512_vectors.h: signed bytes, of queries with 128 added, and what takes that out
  // again.
  static void StoreEncoded(I v, bool query, std::byte* p) {
    const __m128i narrow = Narrow(v), bytes = _mm_packs_epi16(narrow, narrow);
    const __m128i sign = _mm_set1_epi8(-128);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), query ? _mm_xor_si128(bytes, sign) : bytes);
  }
#if defined(HONE_SIMDE)
  static I DotKeys(I sum, I a, I b) {
    return _mm256_dpbusd_epi32(sum, a, b);
  }
  static I DotValues(I sum, I a, I b) {
    return _mm256_dpwssd_epi32(sum, a, b);
  }
#else
  // Not the intrinsics, for the reason given there.
  static I DotKeys(I sum, I a, I b) {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
  }
  static I DotValues(I sum, I a, I b) {
    __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a), "x"(b));
    return sum;
  }
#endif
};

}  // namespace
}  // namespace hone::kernels
