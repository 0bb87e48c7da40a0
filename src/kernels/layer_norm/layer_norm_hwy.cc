// A few rows at a time, which stay in L1 for their three passes (mean, variance, output).
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

// Rows are taken kTogether at a time: a row's sums and its reciprocal root are chains of
// instructions that wait for each other, and those of another row fill the gaps. A row's own
// sequence of operations is the same in any group.
constexpr int kTogether = 4;
constexpr int kChains = 2;  // of additions in one row

// out[r] = Σ_i of what body(x_r[i], r, sum) adds to the sum; lanes past the end add nothing.
template <int kR, class Body>
HWY_INLINE void SumRows(const float* x, std::ptrdiff_t stride, int n, const Body& body,
                        float* out) {
  const F32 d;
  F32V sum[kR][kChains];
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r) sum[r][0] = sum[r][1] = hn::Zero(d);
  int i = 0;
  for (; i + kChains * kLanes <= n; i += kChains * kLanes) {
#pragma GCC unroll 8
    for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 8
      for (int j = 0; j < kChains; ++j) {
        sum[r][j] = body(hn::LoadU(d, x + r * stride + i + j * kLanes), r, sum[r][j]);
      }
    }
  }
  for (; i < n; i += kLanes) {
    const int count = HWY_MIN(n - i, kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kR; ++r) {
      const F32V v = LoadWithin(x + r * stride, i, n);
      const F32V next = body(v, r, sum[r][0]);
      sum[r][0] = hn::IfThenElse(hn::FirstN(d, static_cast<std::size_t>(count)), next, sum[r][0]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r) out[r] = SumLanes(hn::Add(sum[r][0], sum[r][1]));
}

template <int kR>
HWY_INLINE void NormRows(const float* x, std::ptrdiff_t x_stride, int n, const float* gain,
                         const float* bias, float epsilon, float* y, std::ptrdiff_t y_stride) {
  const F32 d;
  const float size = static_cast<float>(n);
  float mean[kR], square[kR];
  SumRows<kR>(
      x, x_stride, n, [](F32V v, int, F32V sum) HWY_ATTR { return hn::Add(sum, v); }, mean);
  F32V m[kR], s[kR];
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r) m[r] = hn::Set(d, mean[r] / size);
  SumRows<kR>(
      x, x_stride, n,
      [&](F32V v, int r, F32V sum) HWY_ATTR {
        v = hn::Sub(v, m[r]);
        return hn::MulAdd(v, v, sum);
      },
      square);
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r) s[r] = hn::Set(d, 1.0f / std::sqrt(square[r] / size + epsilon));
  const auto finish = [&](F32V v, int r, F32V g, F32V b)
                          HWY_ATTR { return hn::MulAdd(hn::Mul(hn::Sub(v, m[r]), s[r]), g, b); };
  const F32V one = hn::Set(d, 1.0f), zero = hn::Zero(d);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const F32V g = gain == nullptr ? one : hn::LoadU(d, gain + i);
    const F32V b = bias == nullptr ? zero : hn::LoadU(d, bias + i);
#pragma GCC unroll 8
    for (int r = 0; r < kR; ++r) {
      hn::StoreU(finish(hn::LoadU(d, x + r * x_stride + i), r, g, b), d, y + r * y_stride + i);
    }
  }
  if (i == n) return;
  const F32V g = gain == nullptr ? one : LoadFirst(gain + i, n - i);
  const F32V b = bias == nullptr ? zero : LoadFirst(bias + i, n - i);
  for (int r = 0; r < kR; ++r) {
    StoreFirst(finish(LoadFirst(x + r * x_stride + i, n - i), r, g, b), y + r * y_stride + i,
               n - i);
  }
}

void Rows(const float* x, std::ptrdiff_t x_stride, int rows, int n, const float* gain,
          const float* bias, float epsilon, float* y, std::ptrdiff_t y_stride) {
  int t = 0;
  for (; t + kTogether <= rows; t += kTogether) {
    NormRows<kTogether>(x + t * x_stride, x_stride, n, gain, bias, epsilon, y + t * y_stride,
                        y_stride);
  }
  for (; t < rows; ++t) {
    NormRows<1>(x + t * x_stride, x_stride, n, gain, bias, epsilon, y + t * y_stride, y_stride);
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
