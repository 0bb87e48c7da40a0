// What a checkpoint holds, counted: for `hone inspect`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "tensor/tensor.h"

namespace hone::formats {

struct TensorSummary {
  std::string name;
  tensor::DType dtype = tensor::DType::kF32;
  tensor::Shape shape;
  std::uint64_t bytes = 0;
  // Weights that the tensor stands for: its elements; eight a word of packed nibbles, short of the
  // padding; none for scales, zero points, shapes and for integers that are no weights (position
  // ids).
  std::uint64_t parameters = 0;
};

struct CheckpointSummary {
  std::vector<TensorSummary> tensors;  // by name
  std::uint64_t bytes = 0;             // of tensors
  std::uint64_t parameters = 0;
};

CheckpointSummary Summarize(const Checkpoint& checkpoint);

}  // namespace hone::formats
