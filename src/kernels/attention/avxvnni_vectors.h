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
  static constexpr int kQueryOffset = 128;
  static constexpr float kKeyMax = 127, kValueMax = 511;
  static constexpr int kRows = 6;  // 12 sums and 3 operands of 16 registers

  // As in avx512_vectors.h.
  static void StoreEncoded(I v, bool query, std::byte* p) {
    StoreBytes(v, query ? kQueryOffset : 0, p);
  }
#if defined(HONE_SIMDE)
  static I DotKeys(I sum, const I (&a)[1], const I (&b)[1]) {
    return _mm256_dpbusd_epi32(sum, a[0], b[0]);
  }
  static I DotValues(I sum, const I (&a)[1], const I (&b)[1]) {
    return _mm256_dpwssd_epi32(sum, a[0], b[0]);
  }
#else
  // Not the intrinsics, for the reason given there.
  static I DotKeys(I sum, const I (&a)[1], const I (&b)[1]) {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(a[0]), "x"(b[0]));
    return sum;
  }
  static I DotValues(I sum, const I (&a)[1], const I (&b)[1]) {
    __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(a[0]), "x"(b[0]));
    return sum;
  }
#endif
};

}  // namespace
}  // namespace hone::kernels
