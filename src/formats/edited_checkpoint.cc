#include "formats/edited_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "formats/tensor_table.h"

namespace hone::formats {
namespace {

using base::StatusOr;
using base::StrCat;
using tensor::DType;
using tensor::Shape;
using tensor::TensorView;

constexpr std::string_view kWeight = ".weight";
// A weight of the convention of compressed-tensors, in every format; see stored_matrix.h.
constexpr std::string_view kParts[] = {".weight", ".weight_scale", ".weight_packed",
                                       ".weight_zero_point", ".weight_shape"};

}  // namespace

std::shared_ptr<EditedCheckpoint> EditedCheckpoint::Copy() const {
  auto copy = std::make_shared<EditedCheckpoint>(base_);
  copy->erased_ = erased_;
  for (const auto& [name, owned] : tensors_) {
    Owned& twin = copy->tensors_[name];
    twin.bytes = owned.bytes;
    twin.view = {twin.bytes.data(), owned.view.dtype, owned.view.shape};
  }
  // Views of a quantised matrix must point into the copy.
  const auto moved = [&](TensorView view) {
    for (const auto& [name, owned] : tensors_) {
      if (view.data == owned.view.data && !view.empty()) view.data = copy->tensors_[name].view.data;
    }
    return view;
  };
  for (const auto& [name, matrix] : matrices_) {
    StoredMatrix& twin = copy->matrices_[name] = matrix;
    twin.values = moved(matrix.values);
    twin.scale = moved(matrix.scale);
    twin.zero = moved(matrix.zero);
  }
  return copy;
}

void EditedCheckpoint::SetF32(const std::string& name, Shape shape, std::vector<float> values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  Set(name, DType::kF32, shape, std::move(bytes));
}

void EditedCheckpoint::Set(const std::string& name, DType dtype, Shape shape,
                           std::vector<std::byte> bytes) {
  HONE_CHECK(bytes.size() == static_cast<std::size_t>(shape.elements()) * SizeOf(dtype));
  Owned& owned = tensors_[name];
  owned.bytes = std::move(bytes);
  owned.view = {owned.bytes.data(), dtype, shape};
  erased_.erase(name);
  if (!name.ends_with(kWeight) || !IsFloat(dtype)) return;
  // A float weight takes the place of a quantised one, in memory or in the base.
  const std::string module = name.substr(0, name.size() - kWeight.size());
  matrices_.erase(module);
  for (const std::string_view part : kParts) {
    if (part != kWeight && Has(module + std::string(part))) Erase(module + std::string(part));
  }
}

void EditedCheckpoint::SetMatrix(const StoredMatrix& matrix) {
  HONE_CHECK(matrix.kind != StoredKind::kFloat);
  // int4 parts have other names than the float weight they stand for.
  if (matrix.kind == StoredKind::kInt4) Erase(matrix.name + std::string(kWeight));
  matrices_.insert_or_assign(matrix.name, matrix);
}

void EditedCheckpoint::Erase(const std::string& name) {
  for (const std::string_view part : kParts) {
    if (name.ends_with(part)) matrices_.erase(name.substr(0, name.size() - part.size()));
  }
  tensors_.erase(name);
  if (base_ != nullptr && base_->Has(name)) erased_.insert(name);
}

void EditedCheckpoint::EraseModule(const std::string& module) {
  for (const std::string_view part : kParts) Erase(module + std::string(part));
  Erase(module + ".bias");
}

bool EditedCheckpoint::Has(std::string_view name) const {
  if (tensors_.contains(name)) return true;
  return base_ != nullptr && !erased_.contains(name) && base_->Has(name);
}

std::vector<std::string> EditedCheckpoint::Names() const {
  std::vector<std::string> names;
  if (base_ != nullptr) {
    for (std::string& name : base_->Names()) {
      if (!erased_.contains(name) && !tensors_.contains(name)) names.push_back(std::move(name));
    }
  }
  for (const auto& [name, owned] : tensors_) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

const TensorView* EditedCheckpoint::Find(std::string_view name) const {
  if (const auto edited = tensors_.find(name); edited != tensors_.end()) {
    return &edited->second.view;
  }
  return base_ == nullptr || erased_.contains(name) ? nullptr : base_->Find(name);
}

StatusOr<TensorView> EditedCheckpoint::Tensor(std::string_view name, const Shape& shape) const {
  const auto edited = tensors_.find(name);
  if (edited == tensors_.end()) {
    if (base_ == nullptr || erased_.contains(name)) {
      return base::NotFound("edited checkpoint: has no tensor \"", name, "\"");
    }
    return base_->Tensor(name, shape);
  }
  const TensorView& view = edited->second.view;
  if (!IsFloat(view.dtype) || !ShapeFits(view.shape, shape)) {
    return base::BadInput("edited checkpoint: tensor \"", name, "\" is ",
                          tensor::NameOf(view.dtype), " ", view.shape.ToString(),
                          "; expected F32, F16 or BF16 ", ShapeText(shape));
  }
  return view;
}

StatusOr<StoredMatrix> EditedCheckpoint::Matrix(std::string_view module, int n, int k) const {
  if (const auto edited = matrices_.find(module); edited != matrices_.end()) {
    const StoredMatrix& matrix = edited->second;
    if ((n >= 0 && matrix.n != n) || (k >= 0 && matrix.k != k)) {
      return base::BadInput("edited checkpoint: matrix \"", module, "\" is [", matrix.n, ", ",
                            matrix.k, "]; expected [", n, ", ", k, "]");
    }
    return matrix;
  }
  const std::string weight = StrCat(module, kWeight);
  const auto erased = [&](std::string_view part) { return erased_.contains(StrCat(module, part)); };
  if (!tensors_.contains(weight) && base_ != nullptr && std::ranges::none_of(kParts, erased)) {
    return base_->Matrix(module, n, k);
  }
  HONE_ASSIGN_OR_RETURN(const TensorView view, Tensor(weight, {n, k}));
  StoredMatrix matrix;
  matrix.name = std::string(module);
  matrix.n = static_cast<int>(view.shape[0]);
  matrix.k = static_cast<int>(view.shape[1]);
  matrix.values = view;
  return matrix;
}

bool EditedCheckpoint::HasMatrix(std::string_view module) const {
  return matrices_.contains(module) || Has(StrCat(module, kWeight)) ||
         Has(StrCat(module, ".weight_packed"));
}

std::uint64_t EditedCheckpoint::bytes() const {
  std::uint64_t sum = 0;
  for (const std::string& name : Names()) sum += Find(name)->bytes();
  return sum;
}

void EditedCheckpoint::DropPages(const TensorView& view) const {
  for (const auto& [name, owned] : tensors_) {
    if (view.data >= owned.bytes.data() && view.data < owned.bytes.data() + owned.bytes.size()) {
      return;  // not of a file
    }
  }
  if (base_ != nullptr) base_->DropPages(view);
}

}  // namespace hone::formats
