// Fetches the parts of a layer from a checkpoint by module name, under one prefix.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "formats/checkpoint.h"
#include "model/architecture.h"
#include "model/weights.h"

namespace hone::model {

class Binder {
 public:
  Binder(const formats::Checkpoint& checkpoint, std::string prefix)
      : checkpoint_(checkpoint), prefix_(std::move(prefix)) {}

  const formats::Checkpoint& checkpoint() const { return checkpoint_; }
  std::string Name(std::string_view module) const { return base::StrCat(prefix_, module); }

  base::StatusOr<Linear> ReadLinear(std::string_view module, int n, int k, bool bias) const;
  // Takes LayerNorm's older TensorFlow names, gamma and beta, where weight and bias are absent.
  base::StatusOr<Norm> ReadNorm(std::string_view module, int width, bool bias) const;
  // A table of embeddings [rows, width], float or quantised.
  base::StatusOr<formats::StoredMatrix> ReadEmbedding(std::string_view module, int rows,
                                                      int width) const;
  // module.weight [rows, width], float
  base::StatusOr<tensor::TensorView> ReadTable(std::string_view module, int rows, int width) const;

 private:
  const formats::Checkpoint& checkpoint_;
  std::string prefix_;
};

// What stands before the encoder's tensor names in this checkpoint: "bert.", "", "model.bert.", …
// found from the word embedding. The architecture's usual prefix where the checkpoint names
// nothing.
std::string FindPrefix(const Architecture& architecture, const formats::Checkpoint& checkpoint);

}  // namespace hone::model
