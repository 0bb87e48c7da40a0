#include "kernels/distance/distance.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/distance/distance_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

namespace simd = hone::kernels::HWY_NAMESPACE;
namespace hn = hwy::HWY_NAMESPACE;
using simd::F32;
using simd::F32V;

double Distance(const float* x, const float* y, int rows, int d, float epsilon, float* gradient) {
  double total = 0;
  for (int r = 0; r < rows; ++r, x += d, y += d, gradient += d) {
    F32V apart = hn::Zero(F32()), size = hn::Zero(F32());
    simd::ForEachVector(x, d, [&](F32V x_i, int i) HWY_ATTR {
      const F32V y_i = simd::LoadWithin(y, i, d), difference = hn::Sub(x_i, y_i);
      apart = hn::MulAdd(difference, difference, apart);
      size = hn::MulAdd(y_i, y_i, size);
    });
    const float n = static_cast<float>(d);
    const float by = 1 / (simd::SumLanes(size) / n + epsilon);
    total += double{simd::SumLanes(apart) / n * by};
    const F32V factor = hn::Set(F32(), 2 / n * by);
    simd::MapVectors(x, d, gradient, [&](F32V x_i, int i) HWY_ATTR {
      return hn::Mul(factor, hn::Sub(x_i, simd::LoadWithin(y, i, d)));
    });
  }
  return total;
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::kernels {

HWY_EXPORT(Distance);

double RelativeDistance(const float* x, const float* y, int rows, int d, float epsilon,
                        float* gradient) {
  return HWY_DYNAMIC_DISPATCH(Distance)(x, y, rows, d, epsilon, gradient);
}

}  // namespace hone::kernels
#endif
