#if defined(__aarch64__)
#include "kernels/matmul/neon.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/gelu_rational.h"

namespace hone::kernels::neon {
namespace {

// The largest magnitude by comparing bits as integers: NaN is above infinity, so it stays.
float LargestMagnitude(const float* x, int k) {
  const uint32x4_t magnitude = vdupq_n_u32(0x7FFFFFFF);
  uint32x4_t largest[4] = {vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0), vdupq_n_u32(0)};
  int i = 0;
  for (; i + 16 <= k; i += 16) {
    HONE_UNROLL for (int j = 0; j < 4; ++j) {
      const uint32x4_t bits = vreinterpretq_u32_f32(vld1q_f32(x + i + j * 4));
      largest[j] = vmaxq_u32(largest[j], vandq_u32(bits, magnitude));
    }
  }
  std::uint32_t bits =
      vmaxvq_u32(vmaxq_u32(vmaxq_u32(largest[0], largest[1]), vmaxq_u32(largest[2], largest[3])));
  for (; i < k; ++i) {
    std::uint32_t one;
    std::memcpy(&one, x + i, sizeof one);
    bits = std::max(bits, one & 0x7FFFFFFF);
  }
  float result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

// 16 values rounded to nearest, halves to even; NaN converts to 0.
int8x16_t Quantize16(const float* x, float32x4_t inverse) {
  int16x4_t v[4];
  HONE_UNROLL for (int j = 0; j < 4; ++j) {
    v[j] = vqmovn_s32(vcvtnq_s32_f32(vmulq_f32(vld1q_f32(x + j * 4), inverse)));
  }
  return vcombine_s8(vqmovn_s16(vcombine_s16(v[0], v[1])), vqmovn_s16(vcombine_s16(v[2], v[3])));
}

// 1 / (1 + e^-x), for x clamped to ±87: e^y = 2^n · 2^f by a degree-6 Taylor series of 2^f, |f| ≤
// 1/2.
float32x4_t Sigmoid(float32x4_t x) {
  x = vmaxq_f32(vdupq_n_f32(-87.0f), vminq_f32(vdupq_n_f32(87.0f), x));
  const float32x4_t y = vmulq_n_f32(x, -1.44269504f);
  const float32x4_t whole = vrndnq_f32(y);
  const float32x4_t f = vsubq_f32(y, whole);
  float32x4_t p = vdupq_n_f32(1.54035304e-4f);
  p = vfmaq_f32(vdupq_n_f32(1.33335581e-3f), p, f);
  p = vfmaq_f32(vdupq_n_f32(9.61812911e-3f), p, f);
  p = vfmaq_f32(vdupq_n_f32(5.55041087e-2f), p, f);
  p = vfmaq_f32(vdupq_n_f32(2.40226507e-1f), p, f);
  p = vfmaq_f32(vdupq_n_f32(6.93147181e-1f), p, f);
  p = vfmaq_f32(vdupq_n_f32(1.0f), p, f);
  const int32x4_t exponent = vshlq_n_s32(vcvtq_s32_f32(whole), 23);
  p = vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(p), exponent));
  return vdivq_f32(vdupq_n_f32(1.0f), vaddq_f32(vdupq_n_f32(1.0f), p));
}

float32x4_t Gelu(float32x4_t x) {
  using namespace gelu;  // NOLINT: the table of gelu_rational.h
  const float32x4_t a = vminq_f32(vdupq_n_f32(kRationalLimit), vabsq_f32(x));
  const float32x4_t u = vmulq_f32(a, a);
  float32x4_t p = vdupq_n_f32(kP[4]), q = vdupq_n_f32(kQ[5]);
  HONE_UNROLL for (int i = 3; i >= 0; --i) p = vfmaq_f32(vdupq_n_f32(kP[i]), p, u);
  HONE_UNROLL for (int i = 4; i >= 0; --i) q = vfmaq_f32(vdupq_n_f32(kQ[i]), q, u);
  const float32x4_t tail = vfmsq_f32(vdupq_n_f32(0.5f), a, vdivq_f32(p, q));
  return vfmsq_f32(vmaxq_f32(x, vdupq_n_f32(0)), a, tail);
}

float32x4_t Activate(Activation activation, float32x4_t x) {
  switch (activation) {
    case Activation::kNone: return x;
    case Activation::kGelu: return Gelu(x);
    case Activation::kRelu: return vmaxq_f32(x, vdupq_n_f32(0));
    case Activation::kSilu: return vmulq_f32(x, Sigmoid(x));
    case Activation::kTanh:
      return vfmaq_f32(vdupq_n_f32(-1.0f), vdupq_n_f32(2.0f), Sigmoid(vaddq_f32(x, x)));
    case Activation::kGeluTanh: {
      // x/2 · (1 + tanh y) = x · sigmoid(2y)
      const float32x4_t inner =
          vfmaq_f32(vdupq_n_f32(1.59576912f), vmulq_f32(x, x), vdupq_n_f32(0.0713548163f));
      return vmulq_f32(x, Sigmoid(vmulq_f32(x, inner)));
    }
  }
  HONE_CHECK(false);
}

// Four columns of a row. Fewer than four go through a copy: NEON has no masked load.
float32x4_t LoadSome(const float* p, int count) {
  if (count >= 4) return vld1q_f32(p);
  float four[4] = {};
  for (int i = 0; i < count; ++i) four[i] = p[i];
  return vld1q_f32(four);
}

void StoreSome(float* p, float32x4_t v, int count) {
  if (count >= 4) return vst1q_f32(p, v);
  float four[4];
  vst1q_f32(four, v);
  for (int i = 0; i < count; ++i) p[i] = four[i];
}

}  // namespace

std::size_t PreparedBytes(int k) {
  return kHeaderBytes + (static_cast<std::size_t>(k) + 63) / 64 * 64;
}

void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    const float scale = LargestMagnitude(x, k) / 127.0f;
    // As in quant/int8.cc: a row whose reciprocal scale overflows is zero for every purpose.
    const float32x4_t inverse = vdupq_n_f32(scale >= 1e-37f ? 1.0f / scale : 0.0f);
    std::memcpy(prepared, &scale, sizeof scale);
    auto* q = reinterpret_cast<std::int8_t*>(prepared + kHeaderBytes);
    int i = 0;
    for (; i + 16 <= k; i += 16) vst1q_s8(q + i, Quantize16(x + i, inverse));
    if (i < k) {
      float rest[16] = {};
      std::memcpy(rest, x + i, static_cast<std::size_t>(k - i) * sizeof(float));
      vst1q_s8(q + i, Quantize16(rest, inverse));
    }
  }
}

void StoreTile(const PanelArgs& args, int m, int rows, const std::int32_t* sums) {
  const Epilogue& epilogue = *args.epilogue;
  for (int r = 0; r < rows; ++r) {
    float row_scale;
    std::memcpy(&row_scale, args.prepared + static_cast<std::size_t>(m + r) * args.prepared_stride,
                sizeof row_scale);
    for (int v = 0; v < kColumns && args.column + v < args.n; v += 4) {
      const int column = args.column + v, count = args.n - column;
      const float32x4_t scale = vmulq_n_f32(vld1q_f32(args.scale + v), row_scale);
      const float32x4_t bias =
          epilogue.bias == nullptr ? vdupq_n_f32(0) : LoadSome(epilogue.bias + column, count);
      const float32x4_t sum = vcvtq_f32_s32(vld1q_s32(sums + r * kColumns + v));
      float32x4_t value = Activate(epilogue.activation, vfmaq_f32(bias, sum, scale));
      if (epilogue.residual != nullptr) {
        const float* residual = epilogue.residual + (m + r) * epilogue.residual_stride + column;
        value = vaddq_f32(value, LoadSome(residual, count));
      }
      StoreSome(args.c + (m + r) * args.c_stride + column, value, count);
    }
  }
}

}  // namespace hone::kernels::neon
#endif
