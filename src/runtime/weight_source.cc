#include "runtime/weight_source.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/check.h"
#include "base/strings.h"
#include "formats/packed_int4.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::runtime {
namespace {

using formats::StoredKind;
using formats::StoredMatrix;
using quant::Format;

std::size_t Size(int n) {
  return static_cast<std::size_t>(n);
}

template <typename T>
std::span<T> RowOf(std::vector<T>& matrix, int row, std::size_t width) {
  return std::span(matrix).subspan(Size(row) * width, width);
}

template <typename T>
const std::byte* AsBytes(std::span<T> row) {
  return reinterpret_cast<const std::byte*>(row.data());
}

// The column of the first NaN or infinity, or -1. x·0 is 0 exactly where x is finite, and the sum
// vectorises, so the check costs less than the memory it reads.
int FirstNotFinite(std::span<const float> row) {
  float sum = 0;
  for (const float x : row) sum += x * 0.0f;
  if (sum == 0.0f) return -1;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (!std::isfinite(row[i])) return static_cast<int>(i);
  }
  return -1;
}

// Reads a row of a matrix as f32 into the span, whatever it is stored as.
using ReadRow = std::function<void(int row, std::span<float> out)>;

base::Status AddF32(const StoredMatrix& m, const ReadRow& read, WeightSource* source) {
  std::vector<float>& values = source->floats.emplace_back(Size(m.n) * Size(m.k));
  for (int row = 0; row < m.n; ++row) {
    read(row, RowOf(values, row, Size(m.k)));
    source->rows.row.push_back(AsBytes(RowOf(values, row, Size(m.k))));
  }
  return base::OkStatus();
}

base::Status AddBF16(const StoredMatrix& m, const ReadRow& read, WeightSource* source) {
  std::vector<std::uint16_t>& values = source->halves.emplace_back(Size(m.n) * Size(m.k));
  std::vector<float> wide(Size(m.k));
  for (int row = 0; row < m.n; ++row) {
    read(row, wide);
    const std::span<std::uint16_t> out = RowOf(values, row, Size(m.k));
    for (std::size_t i = 0; i < wide.size(); ++i) out[i] = tensor::BF16FromF32(wide[i]);
    source->rows.row.push_back(AsBytes(out));
  }
  return base::OkStatus();
}

base::Status AddInt8(const StoredMatrix& m, const ReadRow& read, WeightSource* source) {
  std::vector<std::int8_t>& values = source->bytes.emplace_back(Size(m.n) * Size(m.k));
  std::vector<float> wide(Size(m.k));
  for (int row = 0; row < m.n; ++row) {
    read(row, wide);
    const std::span<std::int8_t> out = RowOf(values, row, Size(m.k));
    source->rows.scale.push_back(quant::QuantizeInt8Row(wide, out));
    source->rows.row.push_back(AsBytes(out));
  }
  return base::OkStatus();
}

// Points `rows` into an int4 matrix that the source owns.
void AddInt4Rows(quant::Int4Matrix matrix, WeightSource* source) {
  quant::Int4Matrix& m = source->int4.emplace_back(std::move(matrix));
  const std::size_t row_bytes = Size(quant::Int4RowBytes(m.k));
  const std::size_t groups = Size(quant::Int4Groups(m.k));
  for (int row = 0; row < m.n; ++row) {
    source->rows.row.push_back(AsBytes(RowOf(m.nibbles, row, row_bytes)));
    source->rows.group_scale.push_back(RowOf(m.group_scale, row, groups).data());
    source->rows.group_zero.push_back(RowOf(m.group_zero, row, groups).data());
  }
  source->rows.scale.insert(source->rows.scale.end(), m.scale.begin(), m.scale.end());
}

base::Status AddInt4(const StoredMatrix& m, const ReadRow& read, WeightSource* source) {
  const std::size_t row_bytes = Size(quant::Int4RowBytes(m.k));
  const std::size_t groups = Size(quant::Int4Groups(m.k));
  quant::Int4Matrix matrix{
      .n = m.n,
      .k = m.k,
      .nibbles = std::vector<std::uint8_t>(Size(m.n) * row_bytes),
      .group_scale = std::vector<std::uint8_t>(Size(m.n) * groups),
      .group_zero = std::vector<std::uint8_t>(Size(m.n) * groups),
      .scale = std::vector<float>(Size(m.n)),
  };
  std::vector<float> wide(Size(m.k));
  for (int row = 0; row < m.n; ++row) {
    read(row, wide);
    matrix.scale[Size(row)] = quant::QuantizeInt4Row(wide, RowOf(matrix.nibbles, row, row_bytes),
                                                     RowOf(matrix.group_scale, row, groups),
                                                     RowOf(matrix.group_zero, row, groups));
  }
  AddInt4Rows(std::move(matrix), source);
  return base::OkStatus();
}

base::Status NotFinite(const StoredMatrix& m, int row, int column) {
  return base::BadInput(m.name, ".weight: the value at [", row, ", ", column, "] is not finite");
}

// Also of a finite scale: its product with a large value may be none.
base::Status AddConverted(const StoredMatrix& m, const ReadRow& read_row, Format format,
                          WeightSource* source) {
  int bad_row = -1, bad_column = -1;
  const ReadRow read = [&](int row, std::span<float> out) {
    read_row(row, out);
    const int bad = FirstNotFinite(out);
    if (bad < 0) return;
    if (bad_row < 0) bad_row = row, bad_column = bad;
    std::ranges::fill(out, 0.0f);  // rounding wants numbers
  };
  const auto add = [&] {
    switch (format) {
      case Format::kF32: return AddF32(m, read, source);
      case Format::kBF16: return AddBF16(m, read, source);
      case Format::kInt8: return AddInt8(m, read, source);
      case Format::kInt4: return AddInt4(m, read, source);
    }
    HONE_CHECK(false);
  };
  HONE_RETURN_IF_ERROR(add());
  return bad_row < 0 ? base::OkStatus() : NotFinite(m, bad_row, bad_column);
}

// Rows that are already in the kernel's format are used where they lie.
void AddInPlace(const StoredMatrix& m, WeightSource* source) {
  const std::size_t row_bytes = Size(m.k) * tensor::SizeOf(m.values.dtype);
  for (int row = 0; row < m.n; ++row) {
    source->rows.row.push_back(m.values.data + Size(row) * row_bytes);
  }
}

base::Status CheckScale(const StoredMatrix& m, std::span<const float> scale) {
  const int bad = FirstNotFinite(scale);
  return bad < 0 ? base::OkStatus()
                 : base::BadInput(m.name, ".weight_scale: the value at ", bad, " is not finite");
}

base::Status AddStoredFloat(const StoredMatrix& m, Format format, WeightSource* source) {
  const ReadRow read = [&](int row, std::span<float> out) {
    tensor::CopyToF32(m.values, std::int64_t{row} * m.k, out);
  };
  if (format != StoredFormat(m) || m.values.dtype == tensor::DType::kF16) {
    return AddConverted(m, read, format, source);
  }
  std::vector<float> row_copy(Size(m.k));
  for (int row = 0; row < m.n; ++row) {
    read(row, row_copy);
    const int bad = FirstNotFinite(row_copy);
    if (bad >= 0) return NotFinite(m, row, bad);
  }
  AddInPlace(m, source);
  return base::OkStatus();
}

base::Status AddStoredInt8(const StoredMatrix& m, Format format, WeightSource* source) {
  std::vector<float> scale(Size(m.n));
  tensor::CopyToF32(m.scale, 0, scale);
  HONE_RETURN_IF_ERROR(CheckScale(m, scale));
  if (format == Format::kInt8) {
    AddInPlace(m, source);
    source->rows.scale.insert(source->rows.scale.end(), scale.begin(), scale.end());
    return base::OkStatus();
  }
  const auto* values = m.values.As<std::int8_t>();
  return AddConverted(
      m,
      [&](int row, std::span<float> out) {
        quant::DequantizeInt8Row({values + Size(row) * Size(m.k), Size(m.k)}, scale[Size(row)],
                                 out);
      },
      format, source);
}

base::Status AddStoredInt4(const StoredMatrix& m, Format format, WeightSource* source) {
  HONE_ASSIGN_OR_RETURN(formats::LoadedInt4 loaded, formats::LoadInt4(m));
  if (format == Format::kInt4) {
    AddInt4Rows(std::move(loaded.matrix), source);
    return base::OkStatus();
  }
  const quant::Int4Matrix& int4 = loaded.matrix;
  const std::size_t row_bytes = Size(quant::Int4RowBytes(m.k));
  const std::size_t groups = Size(quant::Int4Groups(m.k));
  std::vector<std::int8_t> expanded(Size(m.k));
  const auto expand = [&](int row, std::span<std::int8_t> out) {
    quant::ExpandInt4Row(std::span(int4.nibbles).subspan(Size(row) * row_bytes, row_bytes),
                         std::span(int4.group_scale).subspan(Size(row) * groups, groups),
                         std::span(int4.group_zero).subspan(Size(row) * groups, groups), out);
  };
  if (format == Format::kInt8) {
    // s·(q - z) is an int8 already, with the channel's scale: nothing is rounded.
    std::vector<std::int8_t>& values = source->bytes.emplace_back(Size(m.n) * Size(m.k));
    for (int row = 0; row < m.n; ++row) {
      expand(row, RowOf(values, row, Size(m.k)));
      source->rows.row.push_back(AsBytes(RowOf(values, row, Size(m.k))));
    }
    source->rows.scale.insert(source->rows.scale.end(), int4.scale.begin(), int4.scale.end());
    return base::OkStatus();
  }
  return AddConverted(
      m,
      [&](int row, std::span<float> out) {
        expand(row, expanded);
        quant::DequantizeInt8Row(expanded, int4.scale[Size(row)], out);
      },
      format, source);
}

}  // namespace

quant::Format StoredFormat(const StoredMatrix& matrix) {
  switch (matrix.kind) {
    case StoredKind::kInt8: return Format::kInt8;
    case StoredKind::kInt4: return Format::kInt4;
    case StoredKind::kFloat: break;
  }
  return matrix.values.dtype == tensor::DType::kBF16 ? Format::kBF16 : Format::kF32;
}

base::StatusOr<WeightSource> GatherRows(std::span<const StoredMatrix* const> parts, Format format) {
  WeightSource source;
  source.rows.format = format;
  for (const StoredMatrix* part : parts) {
    HONE_CHECK(source.rows.k == 0 || source.rows.k == part->k);
    source.rows.k = part->k;
    source.rows.n += part->n;
    switch (part->kind) {
      case StoredKind::kFloat: HONE_RETURN_IF_ERROR(AddStoredFloat(*part, format, &source)); break;
      case StoredKind::kInt8: HONE_RETURN_IF_ERROR(AddStoredInt8(*part, format, &source)); break;
      case StoredKind::kInt4: HONE_RETURN_IF_ERROR(AddStoredInt4(*part, format, &source)); break;
    }
  }
  return source;
}

}  // namespace hone::runtime
