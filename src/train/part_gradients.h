// Forward and backward of a batch's parts (batch_parts.h), each by a thread of its own.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <functional>
#include <vector>

#include "train/graph.h"

namespace hone::train {

// Adds the gradients of each part's loss, a scalar, to those of the parameters, in the parts' order:
// the same bits come out each time. `loss_of` is called from several threads at once; of one part
// alone from the caller's, with all threads inside each operation. Returns the sum of the losses.
double AddGradients(const std::vector<Parameter>& parameters, std::size_t parts,
                    const std::function<at::Tensor(std::size_t part)>& loss_of);

}  // namespace hone::train
