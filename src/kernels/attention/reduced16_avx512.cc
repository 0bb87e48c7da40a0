// Attention in integers with AVX-512 VNNI: q, k in 8 bits, probabilities and values in 16.
#if defined(__x86_64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)

#include "kernels/attention/avx512_vectors.h"

namespace hone::kernels {
namespace {

using V = Avx512Vectors;

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt16Avx512, "attention_int16_avx512", base::Isa::kAvx512,
                       AttentionPrecision::k16Bit);

}  // namespace hone::kernels

#endif  // __x86_64__
