#include "train/fresh_checkpoint.h"

#include "base/fnv1a.h"
#include "base/status.h"
#include "train/random.h"

namespace hone::train {

using base::StatusOr;
using base::StrCat;
using tensor::Shape;
using tensor::TensorView;

namespace {

// "a.b.weight" → "a.b"
std::string_view ModuleOf(std::string_view tensor) {
  return tensor.substr(0, tensor.rfind('.'));
}

}  // namespace

std::string FreshCheckpoint::InBase(std::string_view name) const {
  if (prefix_.empty() || !name.starts_with(prefix_)) return std::string(name);
  return StrCat(base_prefix_, name.substr(prefix_.size()));
}

bool FreshCheckpoint::Has(std::string_view tensor) const {
  return !IsFresh(ModuleOf(tensor)) && base_->Has(InBase(tensor));
}

bool FreshCheckpoint::HasMatrix(std::string_view module) const {
  return !IsFresh(module) && base_->HasMatrix(InBase(module));
}

StatusOr<TensorView> FreshCheckpoint::Tensor(std::string_view name, const Shape& shape) const {
  if (const auto known = asked_.find(name); known != asked_.end()) return known->second;
  StatusOr<TensorView> view = base::NotFound("made up");
  if (!IsFresh(ModuleOf(name))) {
    view = base_->Tensor(InBase(name), shape);
    if (!view.ok() && !may_make_up_) return view;
  }
  if (!view.ok()) view = MakeUp(name, shape);
  asked_[std::string(name)] = *view;
  return view;
}

StatusOr<formats::StoredMatrix> FreshCheckpoint::Matrix(std::string_view module, int n,
                                                        int k) const {
  if (HasMatrix(module)) {
    const StatusOr<formats::StoredMatrix> stored = base_->Matrix(InBase(module), n, k);
    if (stored.ok() && stored->kind != formats::StoredKind::kFloat) {
      return base::Unsupported("\"", InBase(module),
                               "\" is quantised; a new head goes onto the unquantised model");
    }
  }
  formats::StoredMatrix matrix;
  matrix.name = std::string(module);
  matrix.n = n;
  matrix.k = k;
  HONE_ASSIGN_OR_RETURN(matrix.values, Tensor(StrCat(module, ".weight"), {n, k}));
  return matrix;
}

TensorView FreshCheckpoint::MakeUp(std::string_view name, const Shape& shape) const {
  std::vector<float>& values = values_[std::string(name)];
  values.resize(static_cast<std::size_t>(shape.elements()));
  if (shape.rank() == 1) {
    // A gain lets everything through at first, and a bias adds nothing.
    values.assign(values.size(), name.ends_with(".weight") ? 1.0f : 0.0f);
  } else {
    // Every tensor has a stream of its own, so that its values do not depend on the others.
    Random random({seed_, base::Fnv1a(name)});
    for (float& value : values) value = static_cast<float>(deviation_ * random.Normal());
  }
  return {reinterpret_cast<const std::byte*>(values.data()), tensor::DType::kF32, shape};
}

}  // namespace hone::train
