// What happens to a tile of int32 sums on AVX2: scale, bias, activation, residual, store. The
// 256-bit counterpart of epilogue_avx512.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "kernels/activation.h"
#include "kernels/matmul/gelu_rational.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/x86.h"

HONE_TARGET_BEGIN(HONE_TARGET_AVX2)
namespace hone::kernels {
namespace {

// 1 / (1 + e^-x), for x clamped to ±87: e^y = 2^n · 2^f by a degree-6 Taylor series of 2^f, |f| ≤
// 1/2.
inline __m256 Sigmoid256(__m256 x) {
  // The clamped value is the second operand's where one is NaN, so NaN goes through.
  x = _mm256_max_ps(_mm256_set1_ps(-87.0f), _mm256_min_ps(_mm256_set1_ps(87.0f), x));
  const __m256 y = _mm256_mul_ps(x, _mm256_set1_ps(-1.44269504f));
  const __m256 magic = _mm256_set1_ps(12582912.0f);
  const __m256 shifted = _mm256_add_ps(y, magic);
  const __m256 f = _mm256_sub_ps(y, _mm256_sub_ps(shifted, magic));
  __m256 p = _mm256_set1_ps(1.54035304e-4f);
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.33335581e-3f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(9.61812911e-3f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(5.55041087e-2f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(2.40226507e-1f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(6.93147181e-1f));
  p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.0f));
  const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(shifted), 23);
  p = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(p), exponent));
  return _mm256_div_ps(_mm256_set1_ps(1.0f), _mm256_add_ps(_mm256_set1_ps(1.0f), p));
}

inline __m256 Gelu256(__m256 x) {
  using namespace gelu;  // NOLINT: the table of gelu_rational.h
  const __m256 magnitude = _mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF)));
  const __m256 a = _mm256_min_ps(_mm256_set1_ps(kRationalLimit), magnitude);
  const __m256 u = _mm256_mul_ps(a, a);
  __m256 p = _mm256_fmadd_ps(_mm256_set1_ps(kP[4]), u, _mm256_set1_ps(kP[3]));
  __m256 q = _mm256_fmadd_ps(_mm256_set1_ps(kQ[5]), u, _mm256_set1_ps(kQ[4]));
  p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(kP[2]));
  q = _mm256_fmadd_ps(q, u, _mm256_set1_ps(kQ[3]));
  p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(kP[1]));
  q = _mm256_fmadd_ps(q, u, _mm256_set1_ps(kQ[2]));
  p = _mm256_fmadd_ps(p, u, _mm256_set1_ps(kP[0]));
  q = _mm256_fmadd_ps(q, u, _mm256_set1_ps(kQ[1]));
  q = _mm256_fmadd_ps(q, u, _mm256_set1_ps(kQ[0]));
  const __m256 tail = _mm256_fnmadd_ps(a, _mm256_div_ps(p, q), _mm256_set1_ps(0.5f));
  return _mm256_fnmadd_ps(a, tail, _mm256_max_ps(_mm256_setzero_ps(), x));
}

template <Activation kActivation>
inline __m256 Activate256(__m256 x) {
  if constexpr (kActivation == Activation::kGelu) return Gelu256(x);
  if constexpr (kActivation == Activation::kRelu) return _mm256_max_ps(_mm256_setzero_ps(), x);
  if constexpr (kActivation == Activation::kSilu) return _mm256_mul_ps(x, Sigmoid256(x));
  if constexpr (kActivation == Activation::kTanh) {
    return _mm256_fmsub_ps(_mm256_set1_ps(2.0f), Sigmoid256(_mm256_add_ps(x, x)),
                           _mm256_set1_ps(1.0f));
  }
  if constexpr (kActivation == Activation::kGeluTanh) {
    // x/2 · (1 + tanh y) = x · sigmoid(2y)
    const __m256 square = _mm256_mul_ps(x, x);
    const __m256 inner =
        _mm256_fmadd_ps(square, _mm256_set1_ps(0.0713548163f), _mm256_set1_ps(1.59576912f));
    return _mm256_mul_ps(x, Sigmoid256(_mm256_mul_ps(x, inner)));
  }
  return x;
}

// One tile's place in C. Column pointers (scale, bias, residual, c) are at the tile's first column.
struct StoreArgs256 {
  const std::int32_t* sums = nullptr;   // [rows, vectors·8], 32-byte aligned
  const std::byte* prepared = nullptr;  // its rows begin with their f32 scale
  std::size_t prepared_stride = 0;
  const float* scale = nullptr;  // of the columns, padded to whole vectors
  const float* bias = nullptr;
  const float* residual = nullptr;
  std::ptrdiff_t residual_stride = 0;
  float* c = nullptr;
  std::ptrdiff_t c_stride = 0;
  int rows = 0;
  int columns = 0;  // valid ones, at most kVectors·8
};

template <int kVectors, Activation kActivation>
void StoreTile256(const StoreArgs256& args) {
  __m256i mask[kVectors];
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
    mask[v] = _mm256_cmpgt_epi32(_mm256_set1_epi32(args.columns - v * 8), lanes);
  }
  for (int r = 0; r < args.rows; ++r) {
    const auto row = static_cast<std::size_t>(r);
    const __m256 row_scale =
        _mm256_set1_ps(*reinterpret_cast<const float*>(args.prepared + row * args.prepared_stride));
    const std::int32_t* sums = args.sums + row * kVectors * 8;
    float* c = args.c + r * args.c_stride;
    HONE_UNROLL for (int v = 0; v < kVectors; ++v) {
      const __m256 sum =
          _mm256_cvtepi32_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(sums + v * 8)));
      const __m256 bias = args.bias == nullptr ? _mm256_setzero_ps()
                                               : _mm256_maskload_ps(args.bias + v * 8, mask[v]);
      const __m256 scale = _mm256_mul_ps(row_scale, _mm256_loadu_ps(args.scale + v * 8));
      __m256 value = Activate256<kActivation>(_mm256_fmadd_ps(sum, scale, bias));
      if (args.residual != nullptr) {
        value = _mm256_add_ps(
            value, _mm256_maskload_ps(args.residual + v * 8 + r * args.residual_stride, mask[v]));
      }
      // A masked store is slow on some processors (Zen 2: 18 cycles and more), so whole vectors go
      // plainly.
      if (args.columns >= (v + 1) * 8) {
        _mm256_storeu_ps(c + v * 8, value);
      } else {
        _mm256_maskstore_ps(c + v * 8, mask[v], value);
      }
    }
  }
}

template <int kVectors>
void StoreTile256(Activation activation, const StoreArgs256& args) {
  switch (activation) {
    case Activation::kNone: return StoreTile256<kVectors, Activation::kNone>(args);
    case Activation::kGelu: return StoreTile256<kVectors, Activation::kGelu>(args);
    case Activation::kGeluTanh: return StoreTile256<kVectors, Activation::kGeluTanh>(args);
    case Activation::kRelu: return StoreTile256<kVectors, Activation::kRelu>(args);
    case Activation::kSilu: return StoreTile256<kVectors, Activation::kSilu>(args);
    case Activation::kTanh: return StoreTile256<kVectors, Activation::kTanh>(args);
  }
}

// The part of StoreArgs256 that is the same for every tile of a panel.
inline StoreArgs256 PanelStore256(const float* scale, std::size_t prepared_stride, int n,
                                  int column, int width, const Epilogue& epilogue,
                                  std::ptrdiff_t c_stride, const std::int32_t* sums) {
  StoreArgs256 store;
  store.sums = sums;
  store.prepared_stride = prepared_stride;
  store.scale = scale;
  store.bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + column;
  store.residual_stride = epilogue.residual_stride;
  store.c_stride = c_stride;
  store.columns = n - column < width ? n - column : width;
  return store;
}

// The rows of the tile: rows m … m+rows-1 of prepared and C. Asks for C's, which lie thousands of bytes
// apart, where no hardware looks ahead, while the tile's sums are computed.
inline void PlaceRows256(StoreArgs256& store, const std::byte* prepared, int m, int rows,
                         int column, const Epilogue& epilogue, float* c) {
  store.rows = rows;
  store.prepared = prepared + static_cast<std::size_t>(m) * store.prepared_stride;
  store.c = c + m * store.c_stride + column;
  store.residual = epilogue.residual == nullptr
                       ? nullptr
                       : epilogue.residual + m * store.residual_stride + column;
  for (int r = 0; r < rows; ++r) {
    const float* row = store.c + r * store.c_stride;
    for (int i = 0; i < store.columns; i += 16) {
      _mm_prefetch(reinterpret_cast<const char*>(row + i), _MM_HINT_T0);
    }
  }
}

}  // namespace
}  // namespace hone::kernels
HONE_TARGET_END
