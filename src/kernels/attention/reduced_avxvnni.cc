// Attention in integers with 256-bit VNNI: q, k in 8 bits, probabilities and values in 16.
#if defined(__x86_64__)
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "kernels/attention/attention.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVXVNNI)

#include "kernels/attention/avx2_vectors.h"

namespace hone::kernels {
namespace {

struct V : Avx2Vectors {
  static constexpr int kBits = 8;  // of q and k
  static constexpr int kRows = 6;  // 12 sums and 3 operands of 16 registers

  // As in reduced_avx512.cc: signed bytes, of queries with 128 added, and what takes that out
  // again.
  static void StoreEncoded(I v, bool query, std::byte* p) {
    const __m128i narrow = Narrow(v), bytes = _mm_packs_epi16(narrow, narrow);
    const __m128i sign = _mm_set1_epi8(-128);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), query ? _mm_xor_si128(bytes, sign) : bytes);
  }
#if defined(HONE_SIMDE)
  static I DotKeys(I sum, I q, I k) {
    return _mm256_dpbusd_epi32(sum, q, k);
  }
  static I DotPairs(I sum, I p, I v) {
    return _mm256_dpwssd_epi32(sum, p, v);
  }
#else
  // Not the intrinsics, for the reason given in reduced_avx512.cc.
  static I DotKeys(I sum, I q, I k) {
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(q), "x"(k));
    return sum;
  }
  static I DotPairs(I sum, I p, I v) {
    __asm__("%{vex%} vpdpwssd %2, %1, %0" : "+x"(sum) : "x"(p), "x"(v));
    return sum;
  }
#endif
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

extern constinit const AttentionKernel kAttentionInt8AvxVnni = {"attention_int8_avxvnni",
                                                                base::Isa::kAvxVnni,
                                                                AttentionPrecision::kReduced,
                                                                ScratchBytes,
                                                                PreparedBytes,
                                                                Prepare,
                                                                Attend,
                                                                kMaxHeadSize};

}  // namespace hone::kernels

#endif  // __x86_64__
