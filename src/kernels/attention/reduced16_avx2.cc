// Attention in integers with AVX2: all of it in 16 bits. vpmaddwd multiplies twice as many as an
// f32 FMA, and its addition runs on a port of its own.
#if defined(__x86_64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)

#include "kernels/attention/avx2_vectors.h"

namespace hone::kernels {
namespace {

struct V : Avx2Vectors {
  static constexpr int kKeyBits = 16, kValueBits = 16;
  static constexpr float kKeyMax = 2047, kValueMax = 511;  // 2047² · 256 channels < 2^31
  static constexpr int kRows = 4;  // 8 sums, 3 operands and the products; 5 rows were 7 % slower
  static void StoreEncoded(I v, bool, std::byte* p) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), Narrow(v));
  }
  static I DotKeys(I sum, const I (&q)[1], const I (&k)[1]) {
    return AddI(sum, _mm256_madd_epi16(q[0], k[0]));
  }
  static I DotValues(I sum, const I (&p)[1], const I (&v)[1]) { return DotKeys(sum, p, v); }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt16Avx2, "attention_int16_avx2", base::Isa::kAvx2,
                       AttentionPrecision::k16Bit);

}  // namespace hone::kernels

#endif  // __x86_64__
