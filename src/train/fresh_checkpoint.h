// A checkpoint that lends what another has and makes up the rest, and remembers all it was asked
// for: binding a model to it tells which tensors that model is made of.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"

namespace hone::train {

class FreshCheckpoint final : public formats::Checkpoint {
 public:
  // `base` may be null. Names that begin with `prefix` are looked up there with `base_prefix`.
  FreshCheckpoint(std::shared_ptr<const formats::Checkpoint> base, std::string prefix,
                  std::string base_prefix, std::uint64_t seed, double deviation)
      : base_(std::move(base)),
        prefix_(std::move(prefix)),
        base_prefix_(std::move(base_prefix)),
        seed_(seed),
        deviation_(deviation) {}

  // From now on what the base lacks is made up rather than an error.
  void MakeUpWhatIsAbsent() { may_make_up_ = true; }
  // Modules that are made up whatever the base has.
  void AlwaysFresh(std::set<std::string, std::less<>> modules) { fresh_ = std::move(modules); }
  // What was asked for, by name.
  const std::map<std::string, tensor::TensorView, std::less<>>& asked() const { return asked_; }

  bool Has(std::string_view tensor) const override;
  std::vector<std::string> Names() const override { return {}; }
  base::StatusOr<tensor::TensorView> Tensor(std::string_view name,
                                            const tensor::Shape& shape) const override;
  base::StatusOr<formats::StoredMatrix> Matrix(std::string_view module, int n,
                                               int k) const override;
  bool HasMatrix(std::string_view module) const override;
  std::uint64_t bytes() const override { return 0; }
  void DropPages(const tensor::TensorView&) const override {}

 private:
  std::string InBase(std::string_view name) const;
  bool IsFresh(std::string_view module) const {
    return base_ == nullptr || fresh_.contains(module);
  }
  tensor::TensorView MakeUp(std::string_view name, const tensor::Shape& shape) const;

  std::shared_ptr<const formats::Checkpoint> base_;
  std::string prefix_, base_prefix_;
  std::uint64_t seed_;
  double deviation_;
  bool may_make_up_ = false;
  std::set<std::string, std::less<>> fresh_;
  mutable std::map<std::string, std::vector<float>, std::less<>> values_;
  mutable std::map<std::string, tensor::TensorView, std::less<>> asked_;
};

}  // namespace hone::train
