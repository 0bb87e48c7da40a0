#include "kernels/rotary/rotary.h"
#include "kernels/simd/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rotary/rotary_hwy.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels {
namespace HWY_NAMESPACE {
namespace {

HWY_INLINE void RotateHead(const float* cos, const float* sin, int half, float* x) {
  ForEachVector(cos, half, [&](F32V c, int i) HWY_ATTR {
    const F32V s = LoadWithin(sin, i, half);
    const F32V a = LoadWithin(x, i, half), b = LoadWithin(x + half, i, half);
    const F32V first = hn::NegMulAdd(b, s, hn::Mul(a, c));
    const F32V second = hn::MulAdd(a, s, hn::Mul(b, c));
    if (i + kLanes <= half) {
      hn::StoreU(first, F32(), x + i);
      hn::StoreU(second, F32(), x + half + i);
    } else {
      StoreFirst(first, x + i, half - i);
      StoreFirst(second, x + half + i, half - i);
    }
  });
}

void RotateRows(const RotaryTable& table, const std::int32_t* positions, int rows, int heads,
                float* x, std::ptrdiff_t stride) {
  const int half = table.head_size / 2;
  for (int t = 0; t < rows; ++t) {
    const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(positions[t]) * half;
    for (int h = 0; h < heads; ++h) {
      RotateHead(table.cos.data() + at, table.sin.data() + at, half,
                 x + t * stride + h * table.head_size);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hone::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hone::kernels {

HWY_EXPORT(RotateRows);

void ApplyRotary(const RotaryTable& table, const std::int32_t* positions, int rows, int heads,
                 float* x, std::ptrdiff_t stride) {
  HWY_DYNAMIC_DISPATCH(RotateRows)(table, positions, rows, heads, x, stride);
}

}  // namespace hone::kernels
#endif
