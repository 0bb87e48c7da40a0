#include "model/dequantize.h"

#include <cstring>

#include "base/check.h"
#include "quant/int8.h"

namespace hone::model {
namespace {

using formats::StoredKind;
using formats::StoredMatrix;
using tensor::TensorView;

constexpr int kNibblesInWord = 8;
constexpr int kImplicitZero = 8;

// Nibble `index` of the packed words that start at `words`.
int Nibble(const std::byte* words, std::int64_t index) {
  const auto byte =
      static_cast<unsigned>(words[index / 2]);  // little-endian words are bytes in order
  return static_cast<int>(index % 2 == 0 ? byte & 15 : byte >> 4);
}

void DequantizeInt4Row(const StoredMatrix& matrix, int n, std::span<float> out) {
  const std::int64_t words = matrix.values.shape[1];
  const std::int64_t groups = matrix.scale.shape[1];
  const std::byte* row = matrix.values.data + n * words * 4;
  std::vector<float> scales(static_cast<std::size_t>(groups));
  CopyToF32(matrix.scale, n * groups, scales);
  // zero [⌈N/8⌉, G] is packed along N and not sliced by Rows().
  const int file_row = matrix.first_row + n;
  const std::byte* zeros =
      matrix.zero.empty() ? nullptr : matrix.zero.data + file_row / kNibblesInWord * groups * 4;
  for (int k = 0; k < matrix.k; ++k) {
    const int g = k / matrix.group;
    const int zero =
        zeros == nullptr ? kImplicitZero : Nibble(zeros + g * 4, file_row % kNibblesInWord);
    out[static_cast<std::size_t>(k)] =
        scales[static_cast<std::size_t>(g)] * static_cast<float>(Nibble(row, k) - zero);
  }
}

}  // namespace

void DequantizeRow(const StoredMatrix& matrix, int n, std::span<float> out) {
  HONE_CHECK(0 <= n && n < matrix.n && out.size() == static_cast<std::size_t>(matrix.k));
  switch (matrix.kind) {
    case StoredKind::kFloat:
      return CopyToF32(matrix.values, static_cast<std::int64_t>(n) * matrix.k, out);
    case StoredKind::kInt8: {
      float scale = 0;
      CopyToF32(matrix.scale, n, {&scale, 1});
      const auto* q = matrix.values.As<std::int8_t>() + static_cast<std::int64_t>(n) * matrix.k;
      return quant::DequantizeInt8Row({q, out.size()}, scale, out);
    }
    case StoredKind::kInt4: return DequantizeInt4Row(matrix, n, out);
  }
}

std::vector<float> Dequantize(const StoredMatrix& matrix) {
  const auto k = static_cast<std::size_t>(matrix.k);
  std::vector<float> out(static_cast<std::size_t>(matrix.n) * k);
  for (int n = 0; n < matrix.n; ++n) {
    DequantizeRow(matrix, n, std::span(out).subspan(static_cast<std::size_t>(n) * k, k));
  }
  return out;
}

}  // namespace hone::model
