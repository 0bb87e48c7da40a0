// Attention in integers with NEON's dot products of unsigned and signed bytes: all of it in 8 bits.
#if defined(__aarch64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/neon.h"

HONE_ARM_TARGET_BEGIN(HONE_ARM_I8MM)

#include "kernels/attention/neon_vectors.h"

namespace hone::kernels {
namespace {

struct V : NeonVectors {
  static constexpr int kProbabilityMax = 255;
  static I DotValues(I sum, const I (&p)[1], const I (&v)[1]) {
    return vusdotq_s32(sum, vreinterpretq_u8_s32(p[0]), vreinterpretq_s8_s32(v[0]));
  }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_ARM_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt8NeonI8mm, "attention_int8_neoni8mm", base::Isa::kNeonI8mm,
                       AttentionPrecision::k8Bit);

}  // namespace hone::kernels

#endif  // __aarch64__
