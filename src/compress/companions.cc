#include "compress/companions.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/json.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;

constexpr std::uint64_t kMaxJsonBytes = 16 << 20;

// The largest of the small files is a multilingual tokenizer.json of some 20 MB.
constexpr std::uint64_t kMaxCopiedBytes = 256 << 20;

bool IsWeightsOrRewritten(std::string_view name) {
  if (name == "config.json" || name == formats::kManifestFile || name.starts_with(".")) return true;
  return std::ranges::any_of(
      std::initializer_list<std::string_view>{".safetensors", ".safetensors.index.json", ".bin",
                                              ".bin.index.json", ".h5", ".msgpack", ".ot", ".onnx",
                                              ".gguf", ".pt", ".pth", ".ckpt", ".tflite"},
      [&](std::string_view suffix) { return name.ends_with(suffix); });
}

// Copies the small files of one folder; `prefix` is its name and "/", or nothing for the top.
Status CopyFolder(env::FileSystem& files, const std::string& in, const std::string& prefix,
                  std::span<const std::string> omit, formats::ArtefactWriter* artefact) {
  const std::string folder = env::JoinPath(in, prefix);
  HONE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(folder));
  for (const std::string& name : names) {
    const std::string path = env::JoinPath(folder, name);
    // A sub-folder (2_Dense) keeps its own small weights and config.
    if (!files.IsFile(path) || (prefix.empty() && IsWeightsOrRewritten(name))) continue;
    if (std::ranges::find(omit, prefix + name) != omit.end()) continue;
    HONE_ASSIGN_OR_RETURN(const std::shared_ptr<const env::MappedFile> file, files.Map(path));
    if (file->bytes().size() > kMaxCopiedBytes) continue;
    HONE_RETURN_IF_ERROR(artefact->Copy(path, prefix + name));
  }
  return base::OkStatus();
}

// The folders that modules.json names beside the model itself ("1_Pooling").
StatusOr<std::vector<std::string>> ModuleFolders(env::FileSystem& files, const std::string& in) {
  std::vector<std::string> folders;
  const std::string path = env::JoinPath(in, "modules.json");
  if (!files.IsFile(path)) return folders;
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxJsonBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  for (const base::JsonValue module : json.root()) {
    HONE_ASSIGN_OR_RETURN(const std::string_view folder, module.StringOr("path", ""));
    if (folder.empty() || folder == ".") continue;
    if (folder == ".." || folder.find('/') != std::string_view::npos) {
      return module.Error("expected \"path\" to name a folder inside the model");
    }
    if (files.IsDirectory(env::JoinPath(in, folder))) folders.emplace_back(folder);
  }
  std::ranges::sort(folders);
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  return folders;
}

}  // namespace

Status CopyCompanions(env::FileSystem& files, const std::string& in,
                      std::span<const std::string> omit, formats::ArtefactWriter* artefact) {
  HONE_RETURN_IF_ERROR(CopyFolder(files, in, "", omit, artefact));
  HONE_ASSIGN_OR_RETURN(const std::vector<std::string> folders, ModuleFolders(files, in));
  for (const std::string& folder : folders) {
    if (std::ranges::find(omit, folder) != omit.end()) continue;
    HONE_RETURN_IF_ERROR(CopyFolder(files, in, folder + "/", omit, artefact));
  }
  return base::OkStatus();
}

std::string LastComponent(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return std::string(path.substr(path.find_last_of('/') + 1));
}

}  // namespace hone::compress
