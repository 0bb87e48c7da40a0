// What Highway 1.0.3 lacks for arrays whose length is no multiple of the vector's.
#if defined(HONE_KERNELS_SIMD_VECTOR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef HONE_KERNELS_SIMD_VECTOR_INL_H
#undef HONE_KERNELS_SIMD_VECTOR_INL_H
#else
#define HONE_KERNELS_SIMD_VECTOR_INL_H
#endif

#include <cstddef>
#include <cstring>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using F32V = hn::Vec<F32>;
using I32 = hn::RebindToSigned<F32>;

// Lanes of F32 as a constant; every target that we compile has vectors of fixed length.
inline constexpr int kLanes = static_cast<int>(HWY_LANES(float));

// The first n < kLanes floats at p, the other lanes zero. Reads no byte beyond them.
HWY_INLINE F32V LoadFirst(const float* p, int n) {
  HWY_ALIGN float lanes[kLanes] = {};
  std::memcpy(lanes, p, static_cast<std::size_t>(n) * sizeof(float));
  return hn::Load(F32(), lanes);
}

HWY_INLINE void StoreFirst(F32V v, float* p, int n) {
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, F32(), lanes);
  std::memcpy(p, lanes, static_cast<std::size_t>(n) * sizeof(float));
}

// body(v, i) for every vector of x[0, n); lanes past the end are zero.
template <class Body>
HWY_INLINE void ForEachVector(const float* x, int n, const Body& body) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) body(hn::LoadU(F32(), x + i), i);
  if (i < n) body(LoadFirst(x + i, n - i), i);
}

// y[i] = body(x[i], i); y may be x.
template <class Body>
HWY_INLINE void MapVectors(const float* x, int n, float* y, const Body& body) {
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(body(hn::LoadU(F32(), x + i), i), F32(), y + i);
  if (i < n) StoreFirst(body(LoadFirst(x + i, n - i), i), y + i, n - i);
}

// p[i, i + kLanes) where a vector at i may cross the end n.
HWY_INLINE F32V LoadWithin(const float* p, int i, int n) {
  return i + kLanes <= n ? hn::LoadU(F32(), p + i) : LoadFirst(p + i, n - i);
}

HWY_INLINE float SumLanes(F32V v) {
  return hn::GetLane(hn::SumOfLanes(F32(), v));
}
HWY_INLINE float LargestLane(F32V v) {
  return hn::GetLane(hn::MaxOfLanes(F32(), v));
}

}  // namespace hone::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
