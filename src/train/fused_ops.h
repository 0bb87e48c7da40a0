// Operations whose gradients are written by hand, since autograd's many small steps cost more than
// they compute.
//
// Thread-safety  as ATen's operations.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "train/ops.h"

namespace hone::train {

// Attention within each text over [T, H·K], for texts of at most kernels::kShortAttentionTokens and
// without positions or windows. `begins` as in runtime::Batch.
at::Tensor AttendShort(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads,
                       std::span<const std::int32_t> begins, const Dropout& dropout);

// Mean over rows of mean((x-y)²) / (mean(y²) + ε), a scalar; y is a constant.
at::Tensor MeanDistance(const at::Tensor& x, const at::Tensor& y, double epsilon);

}  // namespace hone::train
