// Attention in integers with AVX-512 VNNI: all of it in 8 bits.
#if defined(__x86_64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)

#include "kernels/attention/avx512_vectors.h"

namespace hone::kernels {
namespace {

struct V : Avx512Vectors {
  static constexpr int kValueBits = 8;
  static constexpr float kValueMax = 127;
  static constexpr int kProbabilityMax = 255;
  static I Words(const I (&v)[4]) {
    return _mm512_mask_blend_epi8(0xAAAAAAAAAAAAAAAA, Pairs(v[0], v[2]),
                                  _mm512_slli_epi16(Pairs(v[1], v[3]), 8));
  }
  static void StorePacked(I a, I b, std::int32_t* p) {
    const __m256i bytes = _mm512_cvtusepi16_epi8(_mm512_packs_epi32(a, b));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bytes);
  }
  static I DotValues(I sum, const I (&p)[1], const I (&v)[1]) { return DotKeys(sum, p, v); }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt8Avx512, "attention_int8_avx512", base::Isa::kAvx512,
                       AttentionPrecision::k8Bit);

}  // namespace hone::kernels

#endif  // __x86_64__
