// What happens to a tile of sums on AVX-512: scale (of int32 sums), bias, activation, residual, store.
//
// The micro-kernels leave their sums in a small buffer that stays in L1: storing and reloading them
// uses the load and store ports, which idle, and keeps one epilogue for every tile and format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "kernels/activation.h"
#include "kernels/matmul/gelu_table.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX512)
namespace hone::kernels {
namespace {

// The first `count` of 16 lanes; none below 1, all from 16 on.
inline __mmask16 FirstLanes512(int count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFF : count <= 0 ? 0 : (1 << count) - 1);
}

// 1 / (1 + e^-x), for x clamped to ±87: e^y = 2^n · 2^f by a degree-6 Taylor series of 2^f, |f| ≤
// 1/2.
inline __m512 Sigmoid512(__m512 x) {
  const __m512 limit = _mm512_set1_ps(87.0f);
  // The clamped value is the second operand's where one is NaN, so NaN goes through.
  x = _mm512_max_ps(_mm512_set1_ps(-87.0f), _mm512_min_ps(limit, x));
  const __m512 y = _mm512_mul_ps(x, _mm512_set1_ps(-1.44269504f));
  const __m512 magic = _mm512_set1_ps(12582912.0f);
  const __m512 shifted = _mm512_add_ps(y, magic);
  const __m512 f = _mm512_sub_ps(y, _mm512_sub_ps(shifted, magic));
  __m512 p = _mm512_set1_ps(1.54035304e-4f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.33335581e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.61812911e-3f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.55041087e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.40226507e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93147181e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
  const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(shifted), 23);
  p = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(p), exponent));
  return _mm512_div_ps(_mm512_set1_ps(1.0f), _mm512_add_ps(_mm512_set1_ps(1.0f), p));
}

// Twelve instructions for 16 values: tables of 32 cubics by permutation (gelu_table.h).
inline __m512 Gelu512(__m512 x) {
  const __m512 magic = _mm512_set1_ps(12582912.0f);
  const __m512 per_unit = _mm512_set1_ps(gelu::kPerUnit);
  // The smaller magnitude of x and the limit, with x's sign.
  const __m512 clamped = _mm512_range_ps(x, _mm512_set1_ps(gelu::kLimit), 2);
  const __m512 shifted = _mm512_fmadd_ps(clamped, per_unit, magic);
  const __m512 u = _mm512_fmsub_ps(clamped, per_unit, _mm512_sub_ps(shifted, magic));
  const __m512i index = _mm512_castps_si512(shifted);
  const auto look_up = [&](const float* table) {
    return _mm512_permutex2var_ps(_mm512_load_ps(table), index, _mm512_load_ps(table + 16));
  };
  __m512 p = _mm512_fmadd_ps(look_up(gelu::kPhi3), u, look_up(gelu::kPhi2));
  p = _mm512_fmadd_ps(p, u, look_up(gelu::kPhi1));
  p = _mm512_fmadd_ps(p, u, look_up(gelu::kPhi0));
  return _mm512_mul_ps(x, p);
}

template <Activation kActivation>
inline __m512 Activate512(__m512 x) {
  if constexpr (kActivation == Activation::kGelu) return Gelu512(x);
  if constexpr (kActivation == Activation::kRelu) return _mm512_max_ps(_mm512_setzero_ps(), x);
  if constexpr (kActivation == Activation::kSilu) return _mm512_mul_ps(x, Sigmoid512(x));
  if constexpr (kActivation == Activation::kTanh) {
    return _mm512_fmsub_ps(_mm512_set1_ps(2.0f), Sigmoid512(_mm512_add_ps(x, x)),
                           _mm512_set1_ps(1.0f));
  }
  if constexpr (kActivation == Activation::kGeluTanh) {
    // x/2 · (1 + tanh y) = x · sigmoid(2y)
    const __m512 square = _mm512_mul_ps(x, x);
    const __m512 inner =
        _mm512_fmadd_ps(square, _mm512_set1_ps(0.0713548163f), _mm512_set1_ps(1.59576912f));
    return _mm512_mul_ps(x, Sigmoid512(_mm512_mul_ps(x, inner)));
  }
  return x;
}

// One tile's sums, int32 or f32, and place in C. Column pointers (scale, bias, residual, c) are at the tile's
// first column.
template <class Sum>
struct StoreArgs512 {
  const Sum* sums = nullptr;  // [rows, vectors·16], 64-byte aligned
  // Of int32 sums: the prepared rows, which begin with their f32 scale, and the scale of the columns.
  const std::byte* prepared = nullptr;
  std::size_t prepared_stride = 0;
  const float* scale = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;
  std::ptrdiff_t residual_stride = 0;
  float* c = nullptr;
  std::ptrdiff_t c_stride = 0;
  int rows = 0;
  int columns = 0;  // valid ones, at most kVectors·16
};

template <int kVectors, Activation kActivation, class Sum>
void StoreTile512(const StoreArgs512<Sum>& args) {
  constexpr bool kScaled = std::is_same_v<Sum, std::int32_t>;
  __mmask16 mask[kVectors];
  __m512 scale[kVectors], bias[kVectors];
  HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
    mask[v] = FirstLanes512(args.columns - v * 16);
    if constexpr (kScaled) scale[v] = _mm512_maskz_loadu_ps(mask[v], args.scale + v * 16);
    bias[v] = args.bias == nullptr ? _mm512_setzero_ps()
                                   : _mm512_maskz_loadu_ps(mask[v], args.bias + v * 16);
  }
  for (int r = 0; r < args.rows; ++r) {
    const auto row = static_cast<std::size_t>(r);
    __m512 row_scale;
    if constexpr (kScaled) {
      row_scale = _mm512_set1_ps(
          *reinterpret_cast<const float*>(args.prepared + row * args.prepared_stride));
    }
    const Sum* sums = args.sums + row * kVectors * 16;
    float* c = args.c + r * args.c_stride;
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      __m512 value;
      if constexpr (kScaled) {
        const __m512 sum = _mm512_cvtepi32_ps(_mm512_load_si512(sums + v * 16));
        value = _mm512_fmadd_ps(sum, _mm512_mul_ps(row_scale, scale[v]), bias[v]);
      } else {
        value = _mm512_add_ps(_mm512_load_ps(sums + v * 16), bias[v]);
      }
      value = Activate512<kActivation>(value);
      if (args.residual != nullptr) {
        value = _mm512_add_ps(value, _mm512_maskz_loadu_ps(mask[v], args.residual + v * 16 +
                                                                        r * args.residual_stride));
      }
      _mm512_mask_storeu_ps(c + v * 16, mask[v], value);
    }
  }
}

template <int kVectors, class Sum>
void StoreTile512(Activation activation, const StoreArgs512<Sum>& args) {
  switch (activation) {
    case Activation::kNone: return StoreTile512<kVectors, Activation::kNone>(args);
    case Activation::kGelu: return StoreTile512<kVectors, Activation::kGelu>(args);
    case Activation::kGeluTanh: return StoreTile512<kVectors, Activation::kGeluTanh>(args);
    case Activation::kRelu: return StoreTile512<kVectors, Activation::kRelu>(args);
    case Activation::kSilu: return StoreTile512<kVectors, Activation::kSilu>(args);
    case Activation::kTanh: return StoreTile512<kVectors, Activation::kTanh>(args);
  }
}

// Of a tile of 1 to 3 vectors of columns.
template <class Sum>
void StoreTile512(int vectors, Activation activation, const StoreArgs512<Sum>& args) {
  if (vectors == 1) return StoreTile512<1>(activation, args);
  if (vectors == 2) return StoreTile512<2>(activation, args);
  StoreTile512<3>(activation, args);
}

}  // namespace
}  // namespace hone::kernels
HONE_TARGET_END
