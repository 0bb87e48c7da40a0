#include "compress/quantize/fold.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "model/dequantize.h"

namespace hone::compress {
namespace {

using base::Status;
using model::Linear;
using runtime::Tap;

// A tensor of the checkpoint, by the place of its bytes: binding keeps views, not names.
struct Place {
  std::string name;
  std::size_t first = 0;  // element within it
};

base::StatusOr<Place> FindPlace(const formats::Checkpoint& checkpoint,
                                const tensor::TensorView& view) {
  for (const std::string& name : checkpoint.Names()) {
    const tensor::TensorView& all = *checkpoint.Find(name);
    if (all.dtype != view.dtype || view.data < all.data || view.data >= all.data + all.bytes()) {
      continue;
    }
    return Place{name, static_cast<std::size_t>(view.data - all.data) / SizeOf(all.dtype)};
  }
  return base::NotFound("the checkpoint has no tensor where the model was bound");
}

// Applies change(index within `view`, value) to the values of the tensor that `view` is a part of.
template <class Change>
Status Edit(Draft* draft, const tensor::TensorView& view, const Change& change) {
  if (view.empty()) return base::OkStatus();
  HONE_ASSIGN_OR_RETURN(const Place place, FindPlace(draft->weights(), view));
  const tensor::TensorView all = *draft->weights().Find(place.name);
  std::vector<float> values(static_cast<std::size_t>(all.shape.elements()));
  tensor::CopyToF32(all, 0, values);
  const auto count = static_cast<std::size_t>(view.shape.elements());
  for (std::size_t i = 0; i < count; ++i) change(i, &values[place.first + i]);
  draft->weights().SetF32(place.name, all.shape, std::move(values));
  return base::OkStatus();
}

Status ScaleColumns(Draft* draft, const Linear& linear, std::span<const float> scale) {
  HONE_CHECK(linear.weight.kind == formats::StoredKind::kFloat);
  return Edit(draft, linear.weight.values,
              [&](std::size_t i, float* w) { *w *= scale[i % scale.size()]; });
}

// Divides row first + i of the matrix, and the bias there, by scale[i].
Status DivideRows(Draft* draft, const Linear& linear, std::size_t first,
                  std::span<const float> scale) {
  HONE_CHECK(linear.weight.kind == formats::StoredKind::kFloat);
  const auto k = static_cast<std::size_t>(linear.weight.k);
  const auto divide = [&](std::size_t row, float* w) {
    if (row >= first && row - first < scale.size()) *w /= scale[row - first];
  };
  HONE_RETURN_IF_ERROR(
      Edit(draft, linear.weight.values, [&](std::size_t i, float* w) { divide(i / k, w); }));
  return Edit(draft, linear.bias, divide);
}

Status DivideNorm(Draft* draft, const model::Norm& norm, std::span<const float> scale) {
  const auto divide = [&](std::size_t i, float* w) { *w /= scale[i]; };
  HONE_RETURN_IF_ERROR(Edit(draft, norm.gain, divide));
  return Edit(draft, norm.bias, divide);
}

}  // namespace

bool CanFold(const model::Model& model, int layer, Tap input) {
  const model::LayerWeights& weights = model.weights.layers[static_cast<std::size_t>(layer)];
  const bool pre = model.config.norm == model::NormPlacement::kPre;
  switch (input) {
    case Tap::kOutputInput: return !weights.output.weight.empty();
    case Tap::kDownInput:
      return !weights.down.weight.empty() &&
             (model.config.gated_ffn || model.config.activation == kernels::Activation::kRelu);
    case Tap::kQkvInput:
      return pre && !weights.query.weight.empty() && !weights.attention_norm.empty();
    case Tap::kUpInput: return pre && !weights.up.weight.empty() && !weights.ffn_norm.empty();
  }
  HONE_CHECK(false);
}

Status Fold(Draft* draft, int layer, Tap input, std::span<const float> scale) {
  HONE_CHECK(CanFold(draft->model(), layer, input));
  // A copy: its views of tensors that are edited below are not read after.
  const model::LayerWeights weights =
      draft->model().weights.layers[static_cast<std::size_t>(layer)];
  switch (input) {
    case Tap::kOutputInput:
      HONE_RETURN_IF_ERROR(DivideRows(draft, weights.value, 0, scale));
      return ScaleColumns(draft, weights.output, scale);
    case Tap::kDownInput:
      // Gated: activate(first half) · second half.
      HONE_RETURN_IF_ERROR(
          DivideRows(draft, weights.up, draft->model().config.gated_ffn ? scale.size() : 0, scale));
      return ScaleColumns(draft, weights.down, scale);
    case Tap::kQkvInput: {
      HONE_RETURN_IF_ERROR(DivideNorm(draft, weights.attention_norm, scale));
      // Fused in the file, the three are one tensor, which moves at the first edit.
      const bool fused = weights.query.weight.name == weights.key.weight.name;
      if (fused) {
        HONE_ASSIGN_OR_RETURN(const formats::StoredMatrix all,
                              draft->weights().Matrix(weights.query.weight.name, -1, -1));
        return ScaleColumns(draft, {all, {}}, scale);
      }
      for (const Linear* linear : {&weights.query, &weights.key, &weights.value}) {
        HONE_RETURN_IF_ERROR(ScaleColumns(draft, *linear, scale));
      }
      return base::OkStatus();
    }
    case Tap::kUpInput:
      HONE_RETURN_IF_ERROR(DivideNorm(draft, weights.ffn_norm, scale));
      return ScaleColumns(draft, weights.up, scale);
  }
  HONE_CHECK(false);
}

}  // namespace hone::compress
