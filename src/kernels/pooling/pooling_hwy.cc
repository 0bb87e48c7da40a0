#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/pooling/pooling.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pooling/pooling_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

void Mean(const float* x, std::ptrdiff_t stride, int rows, int n, float* out) {
  std::memcpy(out, x, static_cast<std::size_t>(n) * sizeof(float));
  for (int t = 1; t < rows; ++t) {
    const float* row = x + t * stride;
    MapVectors(out, n, out,
               [&](F32V v, int i) HWY_ATTR { return hn::Add(v, LoadWithin(row, i, n)); });
  }
  const F32V count = hn::Set(F32(), static_cast<float>(rows));
  MapVectors(out, n, out, [&](F32V v, int) HWY_ATTR { return hn::Div(v, count); });
}

void Max(const float* x, std::ptrdiff_t stride, int rows, int n, float* out) {
  std::memcpy(out, x, static_cast<std::size_t>(n) * sizeof(float));
  for (int t = 1; t < rows; ++t) {
    const float* row = x + t * stride;
    MapVectors(out, n, out, [&](F32V v, int i) HWY_ATTR {
      const F32V other = LoadWithin(row, i, n);
      // Not hn::Max, which may drop a NaN: v stays where it is larger or NaN, else the other comes.
      return hn::IfThenElse(hn::Or(hn::Gt(v, other), hn::IsNaN(v)), v, other);
    });
  }
}

void Normalize(float* x, int n) {
  F32V sum = hn::Zero(F32());
  ForEachVector(x, n, [&](F32V v, int) HWY_ATTR { sum = hn::MulAdd(v, v, sum); });
  const F32V norm = hn::Set(F32(), std::max(std::sqrt(SumLanes(sum)), 1e-12f));
  MapVectors(x, n, x, [&](F32V v, int) HWY_ATTR { return hn::Div(v, norm); });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::kernels {

HWY_EXPORT(Mean);
HWY_EXPORT(Max);
HWY_EXPORT(Normalize);

void MeanRows(const float* x, std::ptrdiff_t stride, int rows, int d, float* out) {
  HWY_DYNAMIC_DISPATCH(Mean)(x, stride, rows, d, out);
}

void MaxRows(const float* x, std::ptrdiff_t stride, int rows, int d, float* out) {
  HWY_DYNAMIC_DISPATCH(Max)(x, stride, rows, d, out);
}

void L2Normalize(float* x, int d) {
  HWY_DYNAMIC_DISPATCH(Normalize)(x, d);
}

}  // namespace hone::kernels
#endif
