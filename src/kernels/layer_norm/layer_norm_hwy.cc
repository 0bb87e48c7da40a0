// One row at a time, which stays in L1 for its three passes (mean, variance, output).
#include <cmath>

#include "kernels/layer_norm/layer_norm.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/layer_norm/layer_norm_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

// Four chains of additions hide the latency of one.
HWY_INLINE float Sum(const float* x, int n) {
  const F32 d;
  F32V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  int i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 = hn::Add(s0, hn::LoadU(d, x + i));
    s1 = hn::Add(s1, hn::LoadU(d, x + i + kLanes));
    s2 = hn::Add(s2, hn::LoadU(d, x + i + 2 * kLanes));
    s3 = hn::Add(s3, hn::LoadU(d, x + i + 3 * kLanes));
  }
  for (; i < n; i += kLanes) s0 = hn::Add(s0, LoadWithin(x, i, n));
  return SumLanes(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
}

HWY_INLINE float SumOfSquares(const float* x, int n, float mean) {
  const F32 d;
  const F32V m = hn::Set(d, mean);
  F32V s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  const auto square = [&](F32V v, F32V sum) HWY_ATTR {
    v = hn::Sub(v, m);
    return hn::MulAdd(v, v, sum);
  };
  int i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s0 = square(hn::LoadU(d, x + i), s0);
    s1 = square(hn::LoadU(d, x + i + kLanes), s1);
    s2 = square(hn::LoadU(d, x + i + 2 * kLanes), s2);
    s3 = square(hn::LoadU(d, x + i + 3 * kLanes), s3);
  }
  for (; i + kLanes <= n; i += kLanes) s0 = square(hn::LoadU(d, x + i), s0);
  float sum = SumLanes(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)));
  for (; i < n; ++i) sum += (x[i] - mean) * (x[i] - mean);  // zeros past the end are not the mean
  return sum;
}

void Rows(const float* x, std::ptrdiff_t x_stride, int rows, int n, const float* gain,
          const float* bias, float epsilon, float* y, std::ptrdiff_t y_stride) {
  const F32 d;
  const float size = static_cast<float>(n);
  for (int t = 0; t < rows; ++t, x += x_stride, y += y_stride) {
    const float mean = Sum(x, n) / size;
    const float scale = 1.0f / std::sqrt(SumOfSquares(x, n, mean) / size + epsilon);
    const F32V m = hn::Set(d, mean), s = hn::Set(d, scale);
    MapVectors(x, n, y, [&](F32V v, int i) HWY_ATTR {
      v = hn::Mul(hn::Sub(v, m), s);
      if (gain != nullptr) v = hn::Mul(v, LoadWithin(gain, i, n));
      if (bias != nullptr) v = hn::Add(v, LoadWithin(bias, i, n));
      return v;
    });
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::kernels {

HWY_EXPORT(Rows);

void LayerNorm(const float* x, std::ptrdiff_t x_stride, int rows, int d, const float* gain,
               const float* bias, float epsilon, float* y, std::ptrdiff_t y_stride) {
  HWY_DYNAMIC_DISPATCH(Rows)(x, x_stride, rows, d, gain, bias, epsilon, y, y_stride);
}

}  // namespace hone::kernels
#endif
