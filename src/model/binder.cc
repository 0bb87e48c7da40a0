#include "model/binder.h"

#include <vector>

namespace hone::model {

using base::StatusOr;
using base::StrCat;
using tensor::TensorView;

StatusOr<Linear> Binder::ReadLinear(std::string_view module, int n, int k, bool bias) const {
  const std::string name = Name(module);
  Linear linear;
  HONE_ASSIGN_OR_RETURN(linear.weight, checkpoint_.Matrix(name, n, k));
  if (bias) {
    HONE_ASSIGN_OR_RETURN(linear.bias, checkpoint_.Tensor(StrCat(name, ".bias"), {n}));
  }
  return linear;
}

StatusOr<Norm> Binder::ReadNorm(std::string_view module, int width, bool bias) const {
  const std::string name = Name(module);
  const bool old =
      !checkpoint_.Has(StrCat(name, ".weight")) && checkpoint_.Has(StrCat(name, ".gamma"));
  Norm norm;
  HONE_ASSIGN_OR_RETURN(norm.gain,
                        checkpoint_.Tensor(StrCat(name, old ? ".gamma" : ".weight"), {width}));
  if (bias) {
    HONE_ASSIGN_OR_RETURN(norm.bias,
                          checkpoint_.Tensor(StrCat(name, old ? ".beta" : ".bias"), {width}));
  }
  return norm;
}

StatusOr<formats::StoredMatrix> Binder::ReadEmbedding(std::string_view module, int rows,
                                                      int width) const {
  return checkpoint_.Matrix(Name(module), rows, width);
}

StatusOr<TensorView> Binder::ReadTable(std::string_view module, int rows, int width) const {
  return checkpoint_.Tensor(StrCat(Name(module), ".weight"), {rows, width});
}

std::string FindPrefix(const Architecture& architecture, const formats::Checkpoint& checkpoint) {
  std::string prefix(architecture.prefix);
  if (checkpoint.HasMatrix(prefix + std::string(architecture.tensors.word))) return prefix;
  const std::string weight = StrCat(architecture.tensors.word, ".weight");
  bool found = false;
  for (const std::string& name : checkpoint.Names()) {
    // The embedding as int4 is "….weight_packed".
    std::string_view word = name;
    if (word.ends_with("_packed")) word.remove_suffix(std::string_view("_packed").size());
    if (!word.ends_with(weight)) continue;
    std::string candidate(word.substr(0, word.size() - weight.size()));
    if (!candidate.empty() && candidate.back() != '.') continue;
    if (!found || candidate.size() < prefix.size()) prefix = std::move(candidate);
    found = true;
  }
  return prefix;
}

}  // namespace hone::model
