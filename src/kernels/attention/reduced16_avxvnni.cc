// Attention in integers with 256-bit VNNI: q, k in 8 bits, probabilities and values in 16.
#if defined(__x86_64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVXVNNI)

#include "kernels/attention/avxvnni_vectors.h"

namespace hone::kernels {
namespace {

using V = AvxVnniVectors;

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

HONE_REDUCED_ATTENTION(kAttentionInt16AvxVnni, "attention_int16_avxvnni", base::Isa::kAvxVnni,
                       AttentionPrecision::k16Bit);

}  // namespace hone::kernels

#endif  // __x86_64__
