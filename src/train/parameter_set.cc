#include "train/parameter_set.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>

#include "base/check.h"
#include "model/dequantize.h"

namespace hone::train {
namespace {

using base::StatusOr;
using base::StrCat;

at::Tensor Empty(std::span<const std::int64_t> shape) {
  return at::empty(at::IntArrayRef(shape.data(), shape.size()), at::kFloat);
}

}  // namespace

ParameterSet::ParameterSet(const model::Model& model, bool trainable) : trainable_(trainable) {
  List(*model.checkpoint, "");
  for (std::size_t i = 0; i < model.head.checkpoints.size(); ++i) {
    List(*model.head.checkpoints[i], StrCat(i, "/"));
  }
}

void ParameterSet::List(const formats::Checkpoint& checkpoint, const std::string& folder) {
  for (const std::string& name : checkpoint.Names()) {
    const tensor::TensorView* view = checkpoint.Find(name);
    if (view == nullptr || view->empty()) continue;
    listed_.try_emplace(view->data, Listed{name, *view, &checkpoint, folder});
  }
}

const ParameterSet::Listed* ParameterSet::Holder(const std::byte* data) const {
  auto after = listed_.upper_bound(data);
  if (after == listed_.begin()) return nullptr;
  const Listed& listed = std::prev(after)->second;
  return data < listed.view.data + listed.view.bytes() ? &listed : nullptr;
}

StatusOr<int> ParameterSet::Insert(const Listed& source, const std::string& name,
                                   std::span<const std::int64_t> shape, at::Tensor values) {
  if (!at::isfinite(values).all().item<bool>()) {
    return base::BadInput("tensor \"", name, "\" ", tensor::Shape(shape).ToString(),
                          " has a value that is NaN or infinite; training needs finite weights");
  }
  const int index = static_cast<int>(tensors_.size());
  by_name_[source.folder + name] = index;
  if (trainable_ && source.folder.empty()) {
    values.set_requires_grad(true);
    parameters_.push_back({name, values, /*decay=*/shape.size() > 1});
  }
  tensors_.push_back(std::move(values));
  return index;
}

StatusOr<Place> ParameterSet::Add(const tensor::TensorView& view) {
  if (view.empty()) return Place{};
  const Listed* source = Holder(view.data);
  HONE_CHECK(source != nullptr && source->view.dtype == view.dtype);
  const tensor::TensorView& whole = source->view;
  Place place;
  const auto found = by_name_.find(source->folder + source->name);
  if (found != by_name_.end()) {
    place.tensor = found->second;
  } else {
    at::Tensor values = Empty(whole.shape.dims());
    CopyToF32(whole, 0,
              {values.data_ptr<float>(), static_cast<std::size_t>(whole.shape.elements())});
    HONE_ASSIGN_OR_RETURN(place.tensor,
                          Insert(*source, source->name, whole.shape.dims(), std::move(values)));
  }
  const std::size_t row_bytes = whole.bytes() / static_cast<std::size_t>(whole.shape[0]);
  place.begin = (view.data - whole.data) / static_cast<std::ptrdiff_t>(row_bytes);
  place.rows = view.shape[0];
  return place;
}

StatusOr<Place> ParameterSet::Add(const formats::StoredMatrix& matrix) {
  if (matrix.empty()) return Place{};
  if (matrix.kind == formats::StoredKind::kFloat) return Add(matrix.values);
  const Listed* source = Holder(matrix.values.data);
  HONE_CHECK(source != nullptr);
  const std::string name = matrix.name + ".weight";
  Place place{.tensor = -1, .begin = matrix.first_row, .rows = matrix.n};
  const auto found = by_name_.find(source->folder + name);
  if (found != by_name_.end()) {
    place.tensor = found->second;
    return place;
  }
  // The whole of it, where `matrix` is a slice of fused QKV.
  HONE_ASSIGN_OR_RETURN(const formats::StoredMatrix whole,
                        source->checkpoint->Matrix(matrix.name, -1, matrix.k));
  const std::int64_t shape[] = {whole.n, whole.k};
  at::Tensor values = Empty(shape);
  const std::vector<float> plain = model::Dequantize(whole);
  std::copy(plain.begin(), plain.end(), values.data_ptr<float>());
  HONE_ASSIGN_OR_RETURN(place.tensor, Insert(*source, name, shape, std::move(values)));
  return place;
}

at::Tensor ParameterSet::Get(const Place& place) const {
  if (place.empty()) return {};
  const at::Tensor& tensor = tensors_[static_cast<std::size_t>(place.tensor)];
  if (place.begin == 0 && place.rows == tensor.size(0)) return tensor;
  return tensor.narrow(0, place.begin, place.rows);
}

}  // namespace hone::train
