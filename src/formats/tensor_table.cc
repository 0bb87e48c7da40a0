#include "formats/tensor_table.h"

#include <functional>
#include <utility>

#include "formats/safetensors.h"

namespace hone::formats {

using tensor::TensorView;

base::Status TensorTable::AddFile(env::FileSystem& files, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(std::shared_ptr<const env::MappedFile> file, files.Map(path));
  HONE_ASSIGN_OR_RETURN(SafetensorsHeader header, ParseSafetensors(file->bytes(), path));
  for (SafetensorsEntry& entry : header.tensors) {
    const TensorView view{file->bytes().data() + entry.begin, entry.dtype, entry.shape};
    const auto [place, fresh] =
        tensors_.try_emplace(std::move(entry.name), Place{files_.size(), view});
    if (!fresh) {
      return base::BadInput(path, ": tensor \"", place->first, "\" is also in ",
                            files_[place->second.file].path);
    }
  }
  bytes_ += file->bytes().size();
  files_.push_back({path, std::move(file)});
  return base::OkStatus();
}

const TensorView* TensorTable::Find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second.view;
}

std::vector<std::string> TensorTable::Names() const {
  std::vector<std::string> names;
  names.reserve(tensors_.size());
  for (const auto& [name, place] : tensors_) names.push_back(name);
  return names;
}

void TensorTable::DropPages(const TensorView& view) const {
  for (const File& file : files_) {
    const std::span<const std::byte> bytes = file.mapped->bytes();
    if (std::less_equal<>()(bytes.data(), view.data) &&
        std::less<>()(view.data, bytes.data() + bytes.size())) {
      file.mapped->DropPages(view.data, view.bytes());
      return;
    }
  }
}

std::string TensorTable::PathOf(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? Where() : files_[found->second.file].path;
}

std::string TensorTable::Where() const {
  if (files_.empty()) return "empty checkpoint";
  if (files_.size() == 1) return files_.front().path;
  return base::StrCat(files_.front().path, " (and ", files_.size() - 1, " more shards)");
}

base::Status TensorTable::Lacks(std::string_view name) const {
  if (tensors_.empty()) return base::NotFound(Where(), ": lacks the tensor \"", name, "\"");
  // The neighbour in order shares the longest beginning, so it shows how the names differ.
  auto near = tensors_.lower_bound(name);
  if (near == tensors_.end()) --near;
  return base::NotFound(Where(), ": lacks the tensor \"", name, "\"; it has, for instance, \"",
                        near->first, "\"");
}

bool ShapeFits(const tensor::Shape& actual, const tensor::Shape& expected) {
  if (actual.rank() != expected.rank()) return false;
  for (int axis = 0; axis < actual.rank(); ++axis) {
    if (expected[axis] != -1 && expected[axis] != actual[axis]) return false;
  }
  return true;
}

std::string ShapeText(const tensor::Shape& expected) {
  std::string text = "[";
  for (int axis = 0; axis < expected.rank(); ++axis) {
    if (axis != 0) text += ", ";
    if (expected[axis] == -1) {
      text += "any";
    } else {
      base::StrAppend(&text, expected[axis]);
    }
  }
  return text + "]";
}

}  // namespace hone::formats
