#if defined(__aarch64__)
#include "kernels/matmul/neon.h"
#include "kernels/roofline/peak.h"

namespace hone::kernels {

// As in roofline_x86.cc: the compiler must neither fold the loop away nor merge equal chains.
#define HONE_KEEP(x) __asm__ volatile("" : "+w"(x))

HONE_ARM_TARGET_BEGIN(HONE_ARM_I8MM)
void PeakMmla(int rounds) {
  int32x4_t sum[16] = {};
  int8x16_t x = vdupq_n_s8(0), w = x;
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 16; ++j) sum[j] = vmmlaq_s32(sum[j], x, w);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}
HONE_ARM_TARGET_END

HONE_ARM_TARGET_BEGIN(HONE_ARM_DOT)
void PeakDot(int rounds) {
  int32x4_t sum[16] = {};
  int8x16_t x = vdupq_n_s8(0), w = x;
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 16; ++j) sum[j] = vdotq_s32(sum[j], x, w);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}
HONE_ARM_TARGET_END

HONE_ARM_TARGET_BEGIN(HONE_ARM_I8MM)
void PeakBF16Mmla(int rounds) {
  float32x4_t sum[16] = {};
  bfloat16x8_t x = vreinterpretq_bf16_u16(vdupq_n_u16(0)), w = x;
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 16; ++j) sum[j] = vbfmmlaq_f32(sum[j], x, w);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}
HONE_ARM_TARGET_END

void PeakFmla(int rounds) {
  float32x4_t sum[16] = {};
  float32x4_t x = vdupq_n_f32(0), w = x;
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 16; ++j) sum[j] = vfmaq_f32(sum[j], x, w);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}

}  // namespace hone::kernels
#endif
