// A checkpoint with some tensors replaced, added or removed in memory, over one that stays as it is.
//
// Usage
//   auto edited = std::make_shared<formats::EditedCheckpoint>(base);
//   edited->SetF32("encoder.layer.0.output.dense.weight", {384, 256}, std::move(values));
//   edited->Erase("encoder.layer.5.output.dense.bias");
//
// Thread-safety  edit from one thread, then read from any.
// Lifetime       views of edited tensors live until the same tensor is edited again.
// Invariant      a module whose matrix was edited (float or quantised) hides the base's, whatever its
//                format there.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/checkpoint.h"

namespace hone::formats {

class EditedCheckpoint : public Checkpoint {
 public:
  // `base` may be null: everything is then in memory.
  explicit EditedCheckpoint(std::shared_ptr<const Checkpoint> base) : base_(std::move(base)) {}
  EditedCheckpoint(const EditedCheckpoint&) = delete;
  EditedCheckpoint& operator=(const EditedCheckpoint&) = delete;

  // The same base, and copies of all edits.
  std::shared_ptr<EditedCheckpoint> Copy() const;

  // HONE_CHECKs that the number of values or bytes fits the shape.
  void SetF32(const std::string& name, tensor::Shape shape, std::vector<float> values);
  void Set(const std::string& name, tensor::DType dtype, tensor::Shape shape,
           std::vector<std::byte> bytes);
  // The quantised matrix of `matrix.name`, from tensors that were Set under the convention's names
  // (module.weight, module.weight_scale, …). Its views must point into this checkpoint.
  void SetMatrix(const StoredMatrix& matrix);
  // The tensor is gone; with a part of a quantised matrix, SetMatrix's or the base's, so is that matrix.
  void Erase(const std::string& name);
  void EraseModule(const std::string& module);  // weight, bias and a quantised weight's parts

  bool Has(std::string_view tensor) const override;
  std::vector<std::string> Names() const override;
  const tensor::TensorView* Find(std::string_view tensor) const override;
  base::StatusOr<tensor::TensorView> Tensor(std::string_view name,
                                            const tensor::Shape& shape) const override;
  base::StatusOr<StoredMatrix> Matrix(std::string_view module, int n, int k) const override;
  bool HasMatrix(std::string_view module) const override;
  std::uint64_t bytes() const override;
  void DropPages(const tensor::TensorView& view) const override;

 private:
  struct Owned {
    std::vector<std::byte> bytes;
    tensor::TensorView view;
  };

  std::shared_ptr<const Checkpoint> base_;
  std::map<std::string, Owned, std::less<>> tensors_;
  std::map<std::string, StoredMatrix, std::less<>> matrices_;  // quantised, edited
  std::set<std::string, std::less<>> erased_;
};

}  // namespace hone::formats
