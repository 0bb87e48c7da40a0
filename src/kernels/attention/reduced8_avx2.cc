// Attention in integers with AVX2: all of it in 8 bits, of which the factors use 7, so that vpmaddubsw's
// products can be summed by four in 16 bits, 4 · 127 · 63 = 32004, before one vpmaddwd widens them: three
// multiplications where 16 bits need four.
#if defined(__x86_64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)

#include "kernels/attention/avx2_vectors.h"

namespace hone::kernels {
namespace {

struct V : Avx2Vectors {
  static constexpr int kKeyBits = 8, kValueBits = 8;
  static constexpr int kQueryOffset = 64, kAtOnce = 2;
  static constexpr float kKeyMax = 63, kValueMax = 63;
  static constexpr int kProbabilityMax = 127;
  static constexpr int kRows = 4;  // 8 sums, 4 words of keys, 2 of a query and the ones
  static void StoreEncoded(I v, bool query, std::byte* p) {
    StoreBytes(v, query ? kQueryOffset : 0, p);
  }
  static void StorePacked(I a, I b, std::int32_t* p) { StorePackedBytes(a, b, p); }
  static I DotKeys(I sum, const I (&q)[2], const I (&k)[2]) {
    const I four =
        _mm256_add_epi16(_mm256_maddubs_epi16(q[0], k[0]), _mm256_maddubs_epi16(q[1], k[1]));
    return AddI(sum, _mm256_madd_epi16(four, _mm256_set1_epi16(1)));
  }
  static I DotValues(I sum, const I (&p)[2], const I (&v)[2]) { return DotKeys(sum, p, v); }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt8Avx2, "attention_int8_avx2", base::Isa::kAvx2,
                       AttentionPrecision::k8Bit);

}  // namespace hone::kernels

#endif  // __x86_64__
