// The weights of a model directory, by name, wherever they lie: one safetensors file, shards with
// an index, dense or quantised in the compressed-tensors convention. Everything is mapped, nothing
// copied.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(auto checkpoint,
//                         formats::Checkpoint::Open(env::RealFileSystem(), "minilm"));
//   HONE_ASSIGN_OR_RETURN(tensor::TensorView gain,
//                         checkpoint->Tensor("encoder.layer.0.output.LayerNorm.weight", {384}));
//   HONE_ASSIGN_OR_RETURN(formats::StoredMatrix up,
//                         checkpoint->Matrix("encoder.layer.0.intermediate.dense", 1536, 384));
//
// Thread-safety  const after Open: any thread may read.
// Lifetime       views live as long as the Checkpoint.
// Errors         name the file, the tensor and what was expected. A directory with only
//                pytorch_model.bin says how to convert it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "tensor/tensor.h"

namespace hone::formats {

enum class StoredKind : std::uint8_t {
  kFloat,  // values [N,K] F32, F16 or BF16
  kInt8,   // values [N,K] I8, scale [N] or [N,1]: quant/int8.h
  kInt4,   // values [N,K/8] I32, scale [N,G], zero [N/8,G] I32 packed (or none: symmetric):
           // quant/int4.h
};

// A matrix B [N,K] as it lies in the file. `name` is the module's ("encoder.layer.0.output.dense").
struct StoredMatrix {
  std::string name;
  StoredKind kind = StoredKind::kFloat;
  int n = 0, k = 0;
  tensor::TensorView values;
  tensor::TensorView scale;  // F32, F16 or BF16
  tensor::TensorView zero;   // int4 only
  int group = 0;             // int4 only: inputs that share a scale
  int first_row = 0;  // of the slice Rows() took; `zero` is packed along N, so it is not sliced

  bool empty() const { return values.empty(); }
  // Rows [begin, end) of a float or int8 matrix, or of an int4 one, as a matrix of their own.
  StoredMatrix Rows(int begin, int end) const;
};

class Checkpoint {
 public:
  virtual ~Checkpoint() = default;

  static base::StatusOr<std::shared_ptr<const Checkpoint>> Open(env::FileSystem& files,
                                                                const std::string& directory);

  virtual bool Has(std::string_view tensor) const = 0;
  virtual std::vector<std::string> Names() const = 0;  // tensors, sorted
  // A listed tensor of any type and shape; null where Names() lacks it.
  virtual const tensor::TensorView* Find(std::string_view) const { return nullptr; }
  // A float tensor of exactly this shape; -1 in `shape` accepts any size there.
  virtual base::StatusOr<tensor::TensorView> Tensor(std::string_view name,
                                                    const tensor::Shape& shape) const = 0;
  // The matrix of module `module`: module.weight, or its quantised parts. n or k of -1 accepts any.
  virtual base::StatusOr<StoredMatrix> Matrix(std::string_view module, int n, int k) const = 0;
  // True where Matrix would find something.
  virtual bool HasMatrix(std::string_view module) const = 0;
  virtual std::uint64_t bytes() const = 0;  // of all files
  // See env::MappedFile::DropPages; `view` is one this checkpoint gave.
  virtual void DropPages(const tensor::TensorView& view) const = 0;
};

}  // namespace hone::formats
