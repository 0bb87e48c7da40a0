// The products of f32 and bf16 weights as plain loops with sums in double: specification and
// portable fallback. Weights are packed as they are; rows are copied, or rounded to bf16.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/matmul/matmul.h"
#include "tensor/dtype.h"

namespace hone::kernels {
namespace {

constexpr int kColumns = 16;  // a panel holds 16 rows of B as they are

using BF16 = std::uint16_t;

float Value(float v) {
  return v;
}
float Value(BF16 bits) {
  return tensor::BF16ToF32(bits);
}

template <class T>
std::size_t PackedBytes(int n, int k) {
  return static_cast<std::size_t>(Panels(n, kColumns)) * kColumns * static_cast<std::size_t>(k) *
         sizeof(T);
}

std::size_t PreparedBytes(int k) {
  return (static_cast<std::size_t>(k) * sizeof(float) + 63) / 64 * 64;
}

std::size_t ScratchBytes(int) {
  return 0;
}

template <class T>
void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  const std::size_t row_bytes = static_cast<std::size_t>(weights.k) * sizeof(T);
  const int end = std::min(panel_end * kColumns, weights.n);
  for (int n = panel_begin * kColumns; n < end; ++n) {
    const auto row = static_cast<std::size_t>(n);
    std::memcpy(packed + row * row_bytes, weights.row[row], row_bytes);
  }
}

template <class T>
void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    auto* out = reinterpret_cast<float*>(prepared);
    for (int i = 0; i < k; ++i) {
      out[i] = sizeof(T) == sizeof(float) ? x[i] : tensor::BF16ToF32(tensor::BF16FromF32(x[i]));
    }
  }
}

template <class T>
void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*, const Upcoming&) {
  const auto* b = reinterpret_cast<const T*>(packed);
  const int end = std::min(panel_end * kColumns, n);
  for (int m = 0; m < rows; ++m) {
    const auto* a =
        reinterpret_cast<const float*>(prepared + static_cast<std::size_t>(m) * PreparedBytes(k));
    for (int j = panel_begin * kColumns; j < end; ++j) {
      const T* row = b + static_cast<std::ptrdiff_t>(j) * k;
      double sum = 0;
      for (int i = 0; i < k; ++i) sum += static_cast<double>(a[i]) * Value(row[i]);
      if (epilogue.bias != nullptr) sum += epilogue.bias[j];
      float out = ActivateRef(epilogue.activation, static_cast<float>(sum));
      if (epilogue.residual != nullptr) out += epilogue.residual[m * epilogue.residual_stride + j];
      c[m * c_stride + j] = out;
    }
  }
}

}  // namespace

extern constinit const MatMulKernel kF32Ref = {
    "f32_ref",   quant::Format::kF32, base::Isa::kPortable, 1,
    kColumns,    "plain C++",         PackedBytes<float>,   PreparedBytes,
    Pack<float>, Prepare<float>,      Multiply<float>,      ScratchBytes};

extern constinit const MatMulKernel kBF16Ref = {
    "bf16_ref", quant::Format::kBF16, base::Isa::kPortable, 1,
    kColumns,   "plain C++",          PackedBytes<BF16>,    PreparedBytes,
    Pack<BF16>, Prepare<BF16>,        Multiply<BF16>,       ScratchBytes};

}  // namespace hone::kernels
