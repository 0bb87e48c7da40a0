// The specification of the int8 product, in plain loops: what every int8 kernel computes, except
// for the order of its f32 epilogue and, where its list entry says so, a coarser activation scale.
//
//   packed    int8 [N,K], then f32 scale [N], both padded to 64 bytes
//   prepared  f32 scale, 60 bytes of padding, int8 [K]
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "kernels/matmul/matmul.h"
#include "quant/int4.h"

namespace hone::kernels {
namespace {

constexpr std::size_t kHeaderBytes = 64;

std::size_t RoundUp64(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

std::size_t WeightBytes(int n, int k) {
  return RoundUp64(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
}

std::size_t PackedBytes(int n, int k) {
  return WeightBytes(n, k) + RoundUp64(static_cast<std::size_t>(n) * sizeof(float));
}

std::size_t PreparedBytes(int k) {
  return kHeaderBytes + RoundUp64(static_cast<std::size_t>(k));
}

// A panel is one column here.
void Pack(const WeightRows& weights, int panel_begin, int panel_end, std::byte* packed) {
  HONE_CHECK(weights.k <= kMaxK);
  const auto k = static_cast<std::size_t>(weights.k);
  const auto groups = static_cast<std::size_t>(quant::Int4Groups(weights.k));
  auto* scale = reinterpret_cast<float*>(packed + WeightBytes(weights.n, weights.k));
  for (auto n = static_cast<std::size_t>(panel_begin); n < static_cast<std::size_t>(panel_end);
       ++n) {
    scale[n] = weights.scale[n];
    if (weights.format == quant::Format::kInt8) {
      std::memcpy(packed + n * k, weights.row[n], k);
    } else {
      quant::ExpandInt4Row({reinterpret_cast<const std::uint8_t*>(weights.row[n]),
                            static_cast<std::size_t>(quant::Int4RowBytes(weights.k))},
                           {weights.group_scale[n], groups}, {weights.group_zero[n], groups},
                           {reinterpret_cast<std::int8_t*>(packed + n * k), k});
    }
  }
}

void Prepare(const float* x, std::ptrdiff_t x_stride, int rows, int k, std::byte* prepared) {
  const auto width = static_cast<std::size_t>(k);
  for (int r = 0; r < rows; ++r, x += x_stride, prepared += PreparedBytes(k)) {
    float largest = 0;
    for (std::size_t i = 0; i < width; ++i) {
      // Written so that a NaN stays: the row's results are then NaN, and not silently wrong.
      if (!(std::abs(x[i]) <= largest)) largest = std::abs(x[i]);
      if (std::isnan(largest)) break;
    }
    const float scale = largest / 127.0f;
    auto* q = reinterpret_cast<std::int8_t*>(prepared + kHeaderBytes);
    std::memcpy(prepared, &scale, sizeof scale);
    const bool usable = scale >= 1e-37f && std::isfinite(scale);
    const float inverse = usable ? 1.0f / scale : 0.0f;
    for (std::size_t i = 0; i < width; ++i) {
      const float v = usable ? std::nearbyint(x[i] * inverse) : 0.0f;
      q[i] = static_cast<std::int8_t>(std::clamp(v, -127.0f, 127.0f));
    }
  }
}

void Multiply(const std::byte* packed, int n, int k, const std::byte* prepared, int rows,
              int panel_begin, int panel_end, const Epilogue& epilogue, float* c,
              std::ptrdiff_t c_stride, std::byte*, const Upcoming&) {
  const auto* scale = reinterpret_cast<const float*>(packed + WeightBytes(n, k));
  for (int m = 0; m < rows; ++m, prepared += PreparedBytes(k)) {
    float row_scale;
    std::memcpy(&row_scale, prepared, sizeof row_scale);
    const auto* a = reinterpret_cast<const std::int8_t*>(prepared + kHeaderBytes);
    for (int column = panel_begin; column < panel_end; ++column) {
      const auto* b =
          reinterpret_cast<const std::int8_t*>(packed) + static_cast<std::ptrdiff_t>(column) * k;
      std::int32_t sum = 0;
      for (int i = 0; i < k; ++i) sum += a[i] * b[i];
      float value = static_cast<float>(sum) * (row_scale * scale[column]);
      if (epilogue.bias != nullptr) value += epilogue.bias[column];
      value = ActivateRef(epilogue.activation, value);
      if (epilogue.residual != nullptr) {
        value += epilogue.residual[m * epilogue.residual_stride + column];
      }
      c[m * c_stride + column] = value;
    }
  }
}

std::size_t ScratchBytes(int) {
  return 0;
}

}  // namespace

extern constinit const MatMulKernel kInt8Ref = {"int8_ref",
                                                quant::Format::kInt8,
                                                base::Isa::kPortable,
                                                1,
                                                1,
                                                "scalar",
                                                PackedBytes,
                                                PreparedBytes,
                                                Pack,
                                                Prepare,
                                                Multiply,
                                                ScratchBytes,
                                                127};

extern constinit const MatMulKernel kInt4Ref = {"int4_ref",
                                                quant::Format::kInt4,
                                                base::Isa::kPortable,
                                                1,
                                                1,
                                                "scalar",
                                                PackedBytes,
                                                PreparedBytes,
                                                Pack,
                                                Prepare,
                                                Multiply,
                                                ScratchBytes,
                                                127};

}  // namespace hone::kernels
