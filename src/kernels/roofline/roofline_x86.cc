#if defined(__x86_64__)
#include "kernels/matmul/x86.h"
#include "kernels/roofline/peak.h"

namespace hone::kernels {

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)
void PeakDot512(int rounds) {
  __m512i sum[24] = {}, x = _mm512_setzero_si512(), w = x;
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 24; ++j) sum[j] = _mm512_dpbusd_epi32(sum[j], x, w);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}

void PeakFma512(int rounds) {
  __m512 sum[24] = {}, x = _mm512_setzero_ps(), w = x;
  HONE_KEEP(x);
  HONE_KEEP(w);
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 24; ++j) sum[j] = _mm512_fmadd_ps(x, w, sum[j]);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}
HONE_TARGET_END

HONE_TARGET_BEGIN("avx512f,avx512bw,avx512bf16")
void PeakBF16(int rounds) {
  __m512 sum[24] = {};
  __m512bh x{}, w{};
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 24; ++j) sum[j] = _mm512_dpbf16_ps(sum[j], x, w);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}
HONE_TARGET_END

HONE_TARGET_BEGIN(HONE_TARGET_AVXVNNI)
void PeakDot256(int rounds) {
  __m256i sum[12] = {}, x = _mm256_setzero_si256(), w = x;
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 12; ++j) sum[j] = _mm256_dpbusd_avx_epi32(sum[j], x, w);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}
HONE_TARGET_END

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
void PeakFma256(int rounds) {
  __m256 sum[12] = {}, x = _mm256_setzero_ps(), w = x;
  HONE_KEEP(x);
  HONE_KEEP(w);
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 12; ++j) sum[j] = _mm256_fmadd_ps(x, w, sum[j]);
  }
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
}

// kProducts byte products summed in int16, then widened and added: six such chains side by side. In
// assembly, since the compiler would move the independent products together and spill them.
template <int kProducts>
void PeakWiden(int rounds) {
  __m256i sum[6] = {}, x = _mm256_setzero_si256(), w = x;
  HONE_UNROLL for (auto& s : sum) HONE_KEEP(s);
  for (int i = 0; i < rounds; ++i) {
    HONE_UNROLL for (int j = 0; j < 6; ++j) {
      __m256i words, product;
      __asm__ volatile("vpmaddubsw %1, %2, %0" : "=x"(words) : "x"(w), "x"(x));
      HONE_UNROLL for (int p = 1; p < kProducts; ++p) {
        __asm__ volatile("vpmaddubsw %1, %2, %0" : "=x"(product) : "x"(w), "x"(x));
        __asm__ volatile("vpaddw %1, %0, %0" : "+x"(words) : "x"(product));
      }
      __asm__ volatile("vpmaddwd %1, %0, %0" : "+x"(words) : "x"(w));
      __asm__ volatile("vpaddd %1, %0, %0" : "+x"(sum[j]) : "x"(words));
    }
  }
}

void PeakWiden4(int rounds) {
  PeakWiden<4>(rounds);
}
void PeakWiden8(int rounds) {
  PeakWiden<8>(rounds);
}
HONE_TARGET_END

}  // namespace hone::kernels
#endif
