// A model's weights as libtorch tensors: each tensor of the checkpoint once, and for every place
// that uses one (or some rows of it) a reference.
//
// Thread-safety  one caller at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "model/model.h"
#include "train/graph.h"

namespace hone::train {

// Rows [begin, begin + rows) of a tensor of the set; tensor -1: there is none.
struct Place {
  int tensor = -1;
  std::int64_t begin = 0, rows = 0;
  bool empty() const { return tensor < 0; }
};

class ParameterSet {
 public:
  // `model` must outlive the Add calls. `trainable`: gradients on for what the model's own
  // checkpoint holds.
  ParameterSet(const model::Model& model, bool trainable);

  // Copies the tensor that the view looks at, unless the set has it already. Errors name it: a
  // value that is not finite.
  base::StatusOr<Place> Add(const tensor::TensorView& view);
  base::StatusOr<Place> Add(const formats::StoredMatrix& matrix);

  at::Tensor Get(const Place& place) const;  // undefined for an empty place
  const std::vector<Parameter>& parameters() const { return parameters_; }

 private:
  struct Listed {
    std::string name;
    tensor::TensorView view;
    const formats::Checkpoint* checkpoint = nullptr;
    std::string folder;  // distinguishes the tensors of a folder's checkpoint; own: empty
  };

  void List(const formats::Checkpoint& checkpoint, const std::string& folder);
  // The listed tensor that holds this byte; null where none does.
  const Listed* Holder(const std::byte* data) const;
  base::StatusOr<int> Insert(const Listed& source, const std::string& name,
                             std::span<const std::int64_t> shape, at::Tensor values);

  bool trainable_;
  std::map<const std::byte*, Listed> listed_;  // by first byte
  std::map<std::string, int> by_name_;
  std::vector<at::Tensor> tensors_;
  std::vector<Parameter> parameters_;
};

}  // namespace hone::train
