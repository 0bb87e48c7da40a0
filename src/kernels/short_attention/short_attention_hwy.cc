#include "kernels/short_attention/short_attention.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/short_attention/short_attention_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/exp-inl.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace simd = hone::kernels::HWY_NAMESPACE;
namespace hn = hwy::HWY_NAMESPACE;
using simd::F32;
using simd::F32V;

HWY_ATTR float Dot(const float* a, const float* b, int n) {
  F32V sum = hn::Zero(F32());
  simd::ForEachVector(
      a, n, [&](F32V x, int i) HWY_ATTR { sum = hn::MulAdd(x, simd::LoadWithin(b, i, n), sum); });
  return simd::SumLanes(sum);
}

// y += factor · x
HWY_ATTR void AddScaled(float factor, const float* x, int n, float* y) {
  const F32V by = hn::Set(F32(), factor);
  simd::MapVectors(y, n, y, [&](F32V sum, int i) HWY_ATTR {
    return hn::MulAdd(by, simd::LoadWithin(x, i, n), sum);
  });
}

HWY_ATTR void SetZero(float* x, int n) {
  for (int i = 0; i < n; ++i) x[i] = 0;
}

HWY_ATTR void Softmax(float* row, int n) {
  float largest = row[0];
  for (int i = 1; i < n; ++i) largest = row[i] > largest ? row[i] : largest;
  const F32V shift = hn::Set(F32(), largest);
  simd::MapVectors(row, n, row, [&](F32V x, int) HWY_ATTR { return simd::Exp(hn::Sub(x, shift)); });
  float sum = 0;
  for (int i = 0; i < n; ++i) sum += row[i];
  const F32V by = hn::Set(F32(), 1 / sum);
  simd::MapVectors(row, n, row, [&](F32V x, int) HWY_ATTR { return hn::Mul(x, by); });
}

void Forward(const ShortAttentionShape& shape, const float* q, const float* k, const float* v,
             const float* keep, float* probabilities, float* out) {
  const int tokens = shape.tokens, size = shape.head_size, stride = shape.heads * size;
  for (int h = 0; h < shape.heads; ++h) {
    for (int i = 0; i < tokens; ++i) {
      float* const row = probabilities + (h * tokens + i) * tokens;
      const float* const kept = keep == nullptr ? nullptr : keep + (h * tokens + i) * tokens;
      const float* const q_i = q + i * stride + h * size;
      for (int j = 0; j < tokens; ++j) {
        row[j] = shape.scale * Dot(q_i, k + j * stride + h * size, size);
      }
      Softmax(row, tokens);
      float* const out_i = out + i * stride + h * size;
      SetZero(out_i, size);
      for (int j = 0; j < tokens; ++j) {
        const float weight = kept == nullptr ? row[j] : row[j] * kept[j];
        AddScaled(weight, v + j * stride + h * size, size, out_i);
      }
    }
  }
}

void Backward(const ShortAttentionShape& shape, const float* q, const float* k, const float* v,
              const float* keep, const float* probabilities, const float* d_out, float* d_q,
              float* d_k, float* d_v) {
  const int tokens = shape.tokens, size = shape.head_size, stride = shape.heads * size;
  for (float* gradient : {d_q, d_k, d_v}) SetZero(gradient, tokens * stride);
  float d_row[kShortAttentionTokens];
  for (int h = 0; h < shape.heads; ++h) {
    for (int i = 0; i < tokens; ++i) {
      const float* const row = probabilities + (h * tokens + i) * tokens;
      const float* const kept = keep == nullptr ? nullptr : keep + (h * tokens + i) * tokens;
      const int at_i = i * stride + h * size;
      float along = 0;  // Σ P dP, which the softmax takes away
      for (int j = 0; j < tokens; ++j) {
        const int at_j = j * stride + h * size;
        const float factor = kept == nullptr ? 1 : kept[j];
        d_row[j] = factor * Dot(d_out + at_i, v + at_j, size);
        along += row[j] * d_row[j];
        AddScaled(row[j] * factor, d_out + at_i, size, d_v + at_j);
      }
      for (int j = 0; j < tokens; ++j) {
        const int at_j = j * stride + h * size;
        const float d_score = shape.scale * row[j] * (d_row[j] - along);
        AddScaled(d_score, k + at_j, size, d_q + at_i);
        AddScaled(d_score, q + at_i, size, d_k + at_j);
      }
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "base/check.h"

namespace hone::kernels {

HWY_EXPORT(Forward);
HWY_EXPORT(Backward);

void ShortAttention(const ShortAttentionShape& shape, const float* q, const float* k,
                    const float* v, const float* keep, float* probabilities, float* out) {
  HWY_DYNAMIC_DISPATCH(Forward)(shape, q, k, v, keep, probabilities, out);
}

void ShortAttentionGradient(const ShortAttentionShape& shape, const float* q, const float* k,
                            const float* v, const float* keep, const float* probabilities,
                            const float* d_out, float* d_q, float* d_k, float* d_v) {
  HONE_CHECK(shape.tokens <= kShortAttentionTokens);
  HWY_DYNAMIC_DISPATCH(Backward)(shape, q, k, v, keep, probabilities, d_out, d_q, d_k, d_v);
}

}  // namespace hone::kernels
#endif
