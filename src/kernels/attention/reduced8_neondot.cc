// Attention in integers with NEON's dot products: all of it in 8 bits,
// the probabilities in 7, since sdot takes both operands signed.
#if defined(__aarch64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/neon.h"

HONE_ARM_TARGET_BEGIN(HONE_ARM_DOT)

#include "kernels/attention/neon_vectors.h"

namespace hone::kernels {
namespace {

struct V : NeonVectors {
  static constexpr int kProbabilityMax = 127;
  static I DotValues(I sum, const I (&p)[1], const I (&v)[1]) { return DotKeys(sum, p, v); }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_ARM_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt8NeonDot, "attention_int8_neondot", base::Isa::kNeonDot,
                       AttentionPrecision::k8Bit);

}  // namespace hone::kernels

#endif  // __aarch64__
