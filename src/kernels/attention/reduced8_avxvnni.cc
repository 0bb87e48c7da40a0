// Attention in integers with 256-bit VNNI: all of it in 8 bits.
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

#include "kernels/attention/avxvnni_vectors.h"

namespace hone::kernels {
namespace {

struct V : AvxVnniVectors {
  static constexpr int kValueBits = 8;
  static constexpr float kProbabilityLog2 = 7.99435344f;  // of 255
  static I Words(const I (&v)[4]) {
    return _mm256_blendv_epi8(Pairs(v[0], v[2]), _mm256_slli_epi16(Pairs(v[1], v[3]), 8),
                              _mm256_set1_epi16(static_cast<std::int16_t>(0xFF00)));
  }
  static void StorePacked(I a, I b, std::int32_t* p) {
    const I pairs = _mm256_packs_epi32(a, b), bytes = _mm256_packus_epi16(pairs, pairs);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm256_castsi256_si128(_mm256_permute4x64_epi64(bytes, 0x08)));
  }
  static I DotValues(I sum, I p, I v) { return DotKeys(sum, p, v); }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt8AvxVnni, "attention_int8_avxvnni", base::Isa::kAvxVnni,
                       AttentionPrecision::k8Bit);

}  // namespace hone::kernels

#endif  // __x86_64__
