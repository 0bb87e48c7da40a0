// The tensors of one or several mapped safetensors files, by name: what a Checkpoint looks things
// up in.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "tensor/tensor.h"

namespace hone::formats {

class TensorTable {
 public:
  // Maps the file and adds its tensors; a name that an earlier file has is an error.
  base::Status AddFile(env::FileSystem& files, const std::string& path);

  bool Has(std::string_view name) const { return tensors_.contains(name); }
  const tensor::TensorView* Find(std::string_view name) const;  // null where absent
  std::vector<std::string> Names() const;                       // sorted
  std::uint64_t bytes() const { return bytes_; }                // of all files
  void DropPages(const tensor::TensorView& view) const;

  // The path of the file that has the tensor, or Where().
  std::string PathOf(std::string_view name) const;
  // The file, or the first of several, for errors about what is absent.
  std::string Where() const;
  // NotFound, naming the files and some tensor that they do have.
  base::Status Lacks(std::string_view name) const;

 private:
  struct File {
    std::string path;
    std::shared_ptr<const env::MappedFile> mapped;
  };
  struct Place {
    std::size_t file;
    tensor::TensorView view;
  };
  std::map<std::string, Place, std::less<>> tensors_;
  std::vector<File> files_;
  std::uint64_t bytes_ = 0;
};

// The types that a weight may have that is not quantised: F32, F16, BF16.
inline bool IsFloat(tensor::DType dtype) {
  return dtype == tensor::DType::kF32 || dtype == tensor::DType::kF16 ||
         dtype == tensor::DType::kBF16;
}

// True where `actual` has the rank of `expected` and its sizes; -1 in `expected` is any size.
bool ShapeFits(const tensor::Shape& actual, const tensor::Shape& expected);
// "[384, any]"
std::string ShapeText(const tensor::Shape& expected);

}  // namespace hone::formats
