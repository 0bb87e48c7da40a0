#include "formats/checkpoint.h"

#include <utility>

#include "base/json.h"
#include "formats/directory.h"
#include "formats/quantization_config.h"
#include "formats/shard_index.h"
#include "formats/stored_matrix.h"
#include "formats/tensor_table.h"

namespace hone::formats {
namespace {

using tensor::TensorView;

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";
constexpr std::uint64_t kMaxIndexBytes = 256 << 20;

class FileCheckpoint final : public Checkpoint {
 public:
  TensorTable& tensors() { return tensors_; }
  void set_group(int group) { group_ = group; }

  bool Has(std::string_view name) const override { return tensors_.Has(name); }
  std::vector<std::string> Names() const override { return tensors_.Names(); }

  const TensorView* Find(std::string_view name) const override { return tensors_.Find(name); }

  base::StatusOr<TensorView> Tensor(std::string_view name,
                                    const tensor::Shape& shape) const override {
    const TensorView* view = tensors_.Find(name);
    if (view == nullptr) return tensors_.Lacks(name);
    if (!IsFloat(view->dtype) || !ShapeFits(view->shape, shape)) {
      return base::BadInput(tensors_.PathOf(name), ": tensor \"", name, "\" is ",
                            tensor::NameOf(view->dtype), " ", view->shape.ToString(),
                            "; expected F32, F16 or BF16 ", ShapeText(shape));
    }
    return *view;
  }

  base::StatusOr<StoredMatrix> Matrix(std::string_view module, int n, int k) const override {
    return ReadStoredMatrix(tensors_, module, n, k, group_);
  }

  bool HasMatrix(std::string_view module) const override {
    return Has(base::StrCat(module, ".weight")) || Has(base::StrCat(module, ".weight_packed"));
  }

  std::uint64_t bytes() const override { return tensors_.bytes(); }
  void DropPages(const TensorView& view) const override { tensors_.DropPages(view); }

 private:
  TensorTable tensors_;
  int group_ = 0;  // of int4 matrices, as config.json says; 0: it does not say
};

// config.json's quantization_config, where there is such a file: a folder of its own (2_Dense) or a
// checkpoint in the making may lack it.
base::StatusOr<QuantizationConfig> ReadQuantization(env::FileSystem& files,
                                                    const std::string& directory) {
  const std::string path = env::JoinPath(directory, "config.json");
  if (!files.IsFile(path)) return QuantizationConfig{};
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  return ParseQuantizationConfig(json.root());
}

// Opens the index's shards and holds every entry to the shard that it names.
base::Status AddShards(env::FileSystem& files, const std::string& directory, TensorTable* tensors) {
  const std::string index_path = env::JoinPath(directory, kIndexFile);
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(index_path, kMaxIndexBytes));
  HONE_ASSIGN_OR_RETURN(const ShardIndex index, ParseShardIndex(text, index_path));
  for (const std::string& shard : index.shards) {
    HONE_RETURN_IF_ERROR(tensors->AddFile(files, env::JoinPath(directory, shard)));
  }
  for (const auto& [tensor, shard] : index.places) {
    if (!tensors->Has(tensor) || tensors->PathOf(tensor) != env::JoinPath(directory, shard)) {
      return base::BadInput(index_path, ": places tensor \"", tensor, "\" in ", shard,
                            ", which has no such tensor");
    }
  }
  return base::OkStatus();
}

std::string ShellQuoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

// What to say of a directory without safetensors.
base::Status NoWeights(env::FileSystem& files, const std::string& directory) {
  for (const std::string_view name : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (!files.IsFile(env::JoinPath(directory, name))) continue;
    return base::Unsupported(
        directory, ": has ", name, " but no ", kSingleFile,
        "; Hone reads safetensors only. Convert it with: "
        "python3 -c 'import sys, glob, torch, safetensors.torch as s; d = sys.argv[1]; "
        "s.save_file({k: v.clone().contiguous() for f in glob.glob(d + \"/pytorch_model*.bin\") "
        "for k, v in torch.load(f, map_location=\"cpu\", weights_only=True).items()}, "
        "d + \"/model.safetensors\", {\"format\": \"pt\"})' ",
        ShellQuoted(directory));
  }
  return base::NotFound(directory, ": has neither ", kSingleFile, " nor ", kIndexFile);
}

}  // namespace

base::StatusOr<std::shared_ptr<const Checkpoint>> Checkpoint::Open(env::FileSystem& files,
                                                                   const std::string& directory) {
  if (!files.IsDirectory(directory)) {
    return base::BadInput(directory, ": is not a directory; expected one with ", kSingleFile);
  }
  auto checkpoint = std::make_shared<FileCheckpoint>();
  const std::string single = env::JoinPath(directory, kSingleFile);
  base::Status status = checkpoint->tensors().AddFile(files, single);
  if (status.code() == base::StatusCode::kNotFound) {
    if (!files.IsFile(env::JoinPath(directory, kIndexFile))) return NoWeights(files, directory);
    status = AddShards(files, directory, &checkpoint->tensors());
  }
  HONE_RETURN_IF_ERROR(status);
  HONE_ASSIGN_OR_RETURN(const QuantizationConfig quantization, ReadQuantization(files, directory));
  checkpoint->set_group(quantization.packed_group());
  return checkpoint;
}

}  // namespace hone::formats
