#include "formats/stored_matrix.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"

namespace hone::formats {
namespace {

using base::StatusOr;
using base::StrCat;
using tensor::DType;
using tensor::Shape;
using tensor::TensorView;

// A tensor of this shape and of a float type, or of `dtype`.
StatusOr<TensorView> Part(const TensorTable& tensors, const std::string& name, const Shape& shape,
                          std::optional<DType> dtype) {
  const TensorView* view = tensors.Find(name);
  if (view == nullptr) return tensors.Lacks(name);
  const bool type_fits = dtype ? view->dtype == *dtype : IsFloat(view->dtype);
  if (!type_fits || !ShapeFits(view->shape, shape)) {
    return base::BadInput(tensors.PathOf(name), ": tensor \"", name, "\" is ",
                          tensor::NameOf(view->dtype), " ", view->shape.ToString(), "; expected ",
                          dtype ? tensor::NameOf(*dtype) : "F32, F16 or BF16", " ",
                          ShapeText(shape));
  }
  return *view;
}

base::Status CheckFitsInt(const TensorTable& tensors, const std::string& name, const Shape& shape) {
  for (const std::int64_t dim : shape.dims()) {
    if (dim < 1 || dim > std::numeric_limits<int>::max() / 16) {
      return base::BadInput(tensors.PathOf(name), ": tensor \"", name, "\" has shape ",
                            shape.ToString(), "; expected a matrix of usual size");
    }
  }
  return base::OkStatus();
}

StatusOr<StoredMatrix> ReadInt8(const TensorTable& tensors, const std::string& module,
                                StoredMatrix matrix) {
  matrix.kind = StoredKind::kInt8;
  const std::string scale = module + ".weight_scale";
  const TensorView* found = tensors.Find(scale);
  if (found == nullptr) return tensors.Lacks(scale);
  const Shape flat{matrix.n}, column{matrix.n, 1};
  HONE_ASSIGN_OR_RETURN(
      matrix.scale, Part(tensors, scale, found->shape.rank() == 1 ? flat : column, std::nullopt));
  if (const TensorView* zero = tensors.Find(module + ".weight_zero_point")) {
    const bool symmetric = std::all_of(zero->data, zero->data + zero->bytes(),
                                       [](std::byte b) { return b == std::byte{0}; });
    if (!symmetric) {
      return base::Unsupported(tensors.PathOf(module + ".weight_zero_point"), ": tensor \"", module,
                               ".weight_zero_point\": int8 weights with zero points; Hone reads "
                               "symmetric int8 only");
    }
  }
  return matrix;
}

StatusOr<StoredMatrix> ReadInt4(const TensorTable& tensors, const std::string& module, int n, int k,
                                int group) {
  if (tensors.Has(module + ".weight_g_idx")) {
    return base::Unsupported(tensors.PathOf(module + ".weight_g_idx"), ": tensor \"", module,
                             ".weight_g_idx\": activation reordering (group indices) is not read");
  }
  HONE_ASSIGN_OR_RETURN(const TensorView shape,
                        Part(tensors, module + ".weight_shape", {2}, DType::kI64));
  std::int64_t sizes[2];
  std::memcpy(sizes, shape.data, sizeof sizes);
  const Shape stated{sizes[0], sizes[1]};
  HONE_RETURN_IF_ERROR(CheckFitsInt(tensors, module + ".weight_shape", stated));
  if (!ShapeFits(stated, {n, k})) {
    return base::BadInput(tensors.PathOf(module + ".weight_shape"), ": matrix \"", module,
                          "\" has shape ", stated.ToString(), "; expected ", ShapeText({n, k}));
  }
  StoredMatrix matrix;
  matrix.name = module;
  matrix.kind = StoredKind::kInt4;
  matrix.n = static_cast<int>(sizes[0]);
  matrix.k = static_cast<int>(sizes[1]);
  HONE_ASSIGN_OR_RETURN(matrix.values, Part(tensors, module + ".weight_packed",
                                            {matrix.n, (matrix.k + 7) / 8}, DType::kI32));
  HONE_ASSIGN_OR_RETURN(matrix.scale,
                        Part(tensors, module + ".weight_scale", {matrix.n, -1}, std::nullopt));
  const std::int64_t groups = matrix.scale.shape[1];
  if (group == 0 && groups > 0 && matrix.k % groups == 0) {
    group = static_cast<int>(matrix.k / groups);
  }
  if (group <= 0 || groups != (matrix.k + group - 1) / group) {
    return base::BadInput(tensors.PathOf(module + ".weight_scale"), ": tensor \"", module,
                          ".weight_scale\" has ", groups, " groups a row, which do not divide ",
                          matrix.k, " inputs", group > 0 ? StrCat(" into groups of ", group) : "");
  }
  matrix.group = group;
  const std::string zero = module + ".weight_zero_point";
  if (tensors.Has(zero)) {
    HONE_ASSIGN_OR_RETURN(matrix.zero,
                          Part(tensors, zero, {(matrix.n + 7) / 8, groups}, DType::kI32));
  }
  return matrix;
}

}  // namespace

StatusOr<StoredMatrix> ReadStoredMatrix(const TensorTable& tensors, std::string_view module_name,
                                        int n, int k, int group) {
  const std::string module(module_name);
  const std::string name = module + ".weight";
  const TensorView* weight = tensors.Find(name);
  if (weight == nullptr && tensors.Has(module + ".weight_packed")) {
    return ReadInt4(tensors, module, n, k, group);
  }
  if (weight == nullptr) return tensors.Lacks(name);
  const bool int8 = weight->dtype == DType::kI8;
  StoredMatrix matrix;
  matrix.name = module;
  HONE_ASSIGN_OR_RETURN(
      matrix.values, Part(tensors, name, {n, k}, int8 ? std::optional(DType::kI8) : std::nullopt));
  HONE_RETURN_IF_ERROR(CheckFitsInt(tensors, name, matrix.values.shape));
  matrix.n = static_cast<int>(matrix.values.shape[0]);
  matrix.k = static_cast<int>(matrix.values.shape[1]);
  if (int8) return ReadInt8(tensors, module, std::move(matrix));
  return matrix;
}

StoredMatrix StoredMatrix::Rows(int begin, int end) const {
  HONE_CHECK(0 <= begin && begin <= end && end <= n);
  const auto slice = [&](const TensorView& view) {
    if (view.empty()) return view;
    std::vector<std::int64_t> dims(view.shape.dims().begin(), view.shape.dims().end());
    const std::size_t row = view.bytes() / static_cast<std::size_t>(n);
    dims.front() = end - begin;
    return TensorView{view.data + static_cast<std::size_t>(begin) * row, view.dtype,
                      Shape(std::span<const std::int64_t>(dims))};
  };
  StoredMatrix rows = *this;
  rows.n = end - begin;
  rows.values = slice(values);
  rows.scale = slice(scale);
  rows.first_row = first_row + begin;
  return rows;
}

}  // namespace hone::formats
