// Refuses weights that are NaN or infinite, which would silently spoil every result.
//
// Opening a model only maps its weights; reading all of them for this check would cost what the
// mapping saved. Whoever packs a tensor reads it anyway and calls this just before, while it is in
// the cache.
#pragma once

#include <string_view>

#include "base/status.h"
#include "formats/checkpoint.h"
#include "tensor/tensor.h"

namespace hone::model {

// Integers are always finite. The error names the tensor, the element's place and its value:
//   tensor "encoder.layer.0.output.dense.weight": element [3, 17] is nan; expected finite weights
base::Status CheckFinite(const tensor::TensorView& tensor, std::string_view name);

// The values of a float matrix, the scales of a quantised one.
base::Status CheckFinite(const formats::StoredMatrix& matrix);

}  // namespace hone::model
