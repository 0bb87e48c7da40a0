// Attention in integers with 256-bit VNNI: all of it in 8 bits.
#if defined(__x86_64__)
#include "kernels/attention/reduced_outside.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVXVNNI)

#include "kernels/attention/avxvnni_vectors.h"

namespace hone::kernels {
namespace {

struct V : AvxVnniVectors {
  static constexpr int kValueBits = 8;
  static constexpr float kValueMax = 127;
  static constexpr int kProbabilityMax = 255;
  static void StorePacked(I a, I b, std::int32_t* p) { StorePackedBytes(a, b, p); }
  static I DotValues(I sum, const I (&p)[1], const I (&v)[1]) { return DotKeys(sum, p, v); }
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
