// Attention in integers with AVX-512 VNNI: q, k in 8 bits, probabilities and values in 16.
#if defined(__x86_64__)
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "kernels/attention/attention.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)

#include "kernels/attention/avx512_vectors.h"

namespace hone::kernels {
namespace {

struct V : Avx512Vectors {
  static constexpr int kValueBits = 16;
  static I Words(const I (&v)[2]) { return Pairs(v[0], v[1]); }
  static void StorePacked(I a, I b, std::int32_t* p) { StoreI(_mm512_packs_epi32(a, b), p); }
  static I DotValues(I sum, I p, I v) { return DotPairs(sum, p, v); }
};

}  // namespace
}  // namespace hone::kernels

#include "kernels/attention/reduced-inl.h"

HONE_TARGET_END

namespace hone::kernels {

extern constinit const AttentionKernel kAttentionInt16Avx512 = {"attention_int16_avx512",
                                                                base::Isa::kAvx512,
                                                                AttentionPrecision::k16Bit,
                                                                ScratchBytes,
                                                                PreparedBytes,
                                                                Prepare,
                                                                Attend,
                                                                kMaxHeadSize};

}  // namespace hone::kernels

#endif  // __x86_64__
