// The register tile of every f32 product: out[r,j] (+)= Σ_k a[r,k] · b[k,j], r < kRows, j <
// columns.
//
// Each output is one chain of fused multiply-adds in the order of k, whatever the tile's height, so
// a row's bits depend on that row alone. With kTileRows × kTileVectors sums in registers, a step of
// k costs kTileVectors loads and kTileRows broadcasts for their product in FMAs: on all targets the
// FMA ports are the limit, and the chains are more than latency × ports (4 × 2) in number.
#if defined(HONE_KERNELS_SIMD_F32_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef HONE_KERNELS_SIMD_F32_TILE_INL_H
#undef HONE_KERNELS_SIMD_F32_TILE_INL_H
#else
#define HONE_KERNELS_SIMD_F32_TILE_INL_H
#endif

#include <cstddef>

#include "hwy/highway.h"
#include "kernels/simd/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace hone::kernels::HWY_NAMESPACE {

#if HWY_TARGET == HWY_AVX3
inline constexpr int kTileRows = 8, kTileVectors = 3;  // 24 sums, 3 of b, of 32 registers
#elif HWY_TARGET == HWY_AVX2
inline constexpr int kTileRows = 6, kTileVectors = 2;  // 12 sums, 2 of b, of 16 registers
#elif HWY_TARGET == HWY_NEON
inline constexpr int kTileRows = 8, kTileVectors = 3;
#else
inline constexpr int kTileRows = 4, kTileVectors = HWY_MAX(1, 8 / kLanes);
#endif
inline constexpr int kTileColumns = kTileVectors * kLanes;

struct TileArgs {
  const float* a;
  std::ptrdiff_t a_stride;
  const float* b;  // row k at b + k·b_stride, aligned to a vector
  std::ptrdiff_t b_stride;
  int k;
  float* out;
  std::ptrdiff_t out_stride;
  bool accumulate;       // start from out, not from zero
  const void* prefetch;  // what to fetch while computing, kPrefetch cache lines a step
};

template <int kRows, int kVectors, int kPrefetch>
HWY_INLINE void TileBody(const TileArgs& t) {
  const F32 d;
  F32V sum[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) {
      sum[r][j] = t.accumulate ? hn::LoadU(d, t.out + r * t.out_stride + j * kLanes) : hn::Zero(d);
    }
  }
  const float* HWY_RESTRICT a = t.a;
  const float* HWY_RESTRICT b = t.b;
  const auto* prefetch = static_cast<const char*>(t.prefetch);
  for (int k = 0; k < t.k; ++k) {
    F32V bk[kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) bk[j] = hn::LoadU(d, b + j * kLanes);
    if constexpr (kPrefetch != 0) {
#pragma GCC unroll 8
      for (int j = 0; j < kPrefetch; ++j) __builtin_prefetch(prefetch + j * 64, 0, 2);  // to L2
      prefetch += kPrefetch * 64;
    }
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const F32V ar = hn::Set(d, a[r * t.a_stride + k]);
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) sum[r][j] = hn::MulAdd(ar, bk[j], sum[r][j]);
    }
    b += t.b_stride;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) {
      hn::StoreU(sum[r][j], d, t.out + r * t.out_stride + j * kLanes);
    }
  }
}

template <int kVectors, int kPrefetch>
HWY_INLINE void TileOfRows(int rows, const TileArgs& t) {
  switch (rows) {
    case 1: return TileBody<1, kVectors, kPrefetch>(t);
    case 2: return TileBody<2, kVectors, kPrefetch>(t);
    case 3: return TileBody<3, kVectors, kPrefetch>(t);
    case 4: return TileBody<4, kVectors, kPrefetch>(t);
    case 5: return TileBody<HWY_MIN(5, kTileRows), kVectors, kPrefetch>(t);
    case 6: return TileBody<HWY_MIN(6, kTileRows), kVectors, kPrefetch>(t);
    case 7: return TileBody<HWY_MIN(7, kTileRows), kVectors, kPrefetch>(t);
    default: return TileBody<kTileRows, kVectors, kPrefetch>(t);
  }
}

// Rows split as evenly as blocks of at most kTileRows allow: 17 as 6 + 6 + 5, since a block of one
// row has too few chains to fill the FMA pipes.
struct RowBlocks {
  int rows, count;
  explicit RowBlocks(int n) : rows(n), count((n + kTileRows - 1) / kTileRows) {}
  int begin(int i) const { return static_cast<int>(static_cast<long>(rows) * i / count); }
  int size(int i) const { return begin(i + 1) - begin(i); }
};

}  // namespace hone::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
