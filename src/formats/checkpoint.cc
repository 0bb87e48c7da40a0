#include "formats/checkpoint.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "formats/quantization_config.h"
#include "formats/stored_matrix.h"
#include "formats/tensor_table.h"

namespace hone::formats {
namespace {

using tensor::TensorView;

constexpr std::string_view kSingleFile = "model.safetensors";
constexpr std::string_view kIndexFile = "model.safetensors.index.json";
constexpr std::uint64_t kMaxIndexBytes = 256 << 20;
constexpr std::uint64_t kMaxConfigBytes = 16 << 20;

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
    const bool is_float = view->dtype == tensor::DType::kF32 ||
                          view->dtype == tensor::DType::kF16 || view->dtype == tensor::DType::kBF16;
    if (!is_float || !ShapeFits(view->shape, shape)) {
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

// A shard is a plain file name beside the index: nothing that leaves the directory.
base::Status CheckShardName(const base::JsonValue& member, std::string_view name) {
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(std::string_view("/\\\0", 3)) != std::string_view::npos) {
    return member.Error("expected the name of a file in the same directory");
  }
  return base::OkStatus();
}

base::Status AddShards(env::FileSystem& files, const std::string& directory, TensorTable* tensors) {
  const std::string index_path = env::JoinPath(directory, kIndexFile);
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(index_path, kMaxIndexBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, index_path));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue weight_map, json.root().Get("weight_map"));
  if (!weight_map.IsObject() || weight_map.size() == 0) {
    return weight_map.Error("expected an object that names each tensor's shard");
  }
  std::vector<std::string> shards;
  for (const base::JsonValue member : weight_map) {
    HONE_ASSIGN_OR_RETURN(const std::string_view shard, member.String());
    if (!shards.empty() && shards.back() == shard) continue;  // neighbours mostly share a shard
    HONE_RETURN_IF_ERROR(CheckShardName(member, shard));
    shards.emplace_back(shard);
  }
  std::ranges::sort(shards);
  shards.erase(std::unique(shards.begin(), shards.end()), shards.end());
  for (const std::string& shard : shards) {
    HONE_RETURN_IF_ERROR(tensors->AddFile(files, env::JoinPath(directory, shard)));
  }
  for (const base::JsonValue member : weight_map) {
    HONE_ASSIGN_OR_RETURN(const std::string_view shard, member.String());
    if (!tensors->Has(member.key()) ||
        tensors->PathOf(member.key()) != env::JoinPath(directory, shard)) {
      return member.Error(base::StrCat("the shard \"", shard, "\" has no such tensor"));
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
  if (absl::IsNotFound(status)) {
    if (!files.IsFile(env::JoinPath(directory, kIndexFile))) return NoWeights(files, directory);
    status = AddShards(files, directory, &checkpoint->tensors());
  }
  HONE_RETURN_IF_ERROR(status);
  HONE_ASSIGN_OR_RETURN(const QuantizationConfig quantization, ReadQuantization(files, directory));
  checkpoint->set_group(quantization.group);
  return checkpoint;
}

}  // namespace hone::formats
