#include "model/dequantize.h"

#include "base/check.h"
#include "formats/packed_int4.h"
#include "quant/int8.h"

namespace hone::model {
namespace {

using formats::StoredKind;
using formats::StoredMatrix;

}  // namespace

void DequantizeRow(const StoredMatrix& matrix, int n, std::span<float> out) {
  HONE_CHECK(0 <= n && n < matrix.n && out.size() == static_cast<std::size_t>(matrix.k));
  switch (matrix.kind) {
    case StoredKind::kFloat:
      return tensor::CopyToF32(matrix.values, static_cast<std::int64_t>(n) * matrix.k, out);
    case StoredKind::kInt8: {
      float scale = 0;
      tensor::CopyToF32(matrix.scale, n, {&scale, 1});
      const auto* q = matrix.values.As<std::int8_t>() + static_cast<std::int64_t>(n) * matrix.k;
      return quant::DequantizeInt8Row({q, out.size()}, scale, out);
    }
    case StoredKind::kInt4: return formats::DequantizeInt4Row(matrix, n, out);
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
