#include "compress/companions.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "base/json.h"
#include "formats/directory.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;

constexpr std::uint64_t kMaxJsonBytes = 16 << 20;
constexpr const char* kModulesFile = "modules.json";

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

class Companions {
 public:
  Companions(env::FileSystem& files, const std::string& in, std::span<const std::string> omit,
             formats::ArtefactWriter* artefact)
      : files_(files), in_(in), omit_(omit), artefact_(*artefact) {}

  Status Copy();

 private:
  bool IsLeftOut(const std::string& name) const {
    return std::ranges::find(omit_, name) != omit_.end();
  }
  // The small files of `folder`, under `prefix`: a folder's name and "/", or nothing for the top.
  Status CopyFolder(const std::string& folder, const std::string& prefix);
  // modules.json with the encoder at the top, where this writes it.
  Status WriteModules(const base::Json& modules, const std::string& encoder);
  // The folders that modules.json names beside the encoder's ("1_Pooling").
  StatusOr<std::vector<std::string>> ModuleFolders(const base::Json& modules,
                                                   const std::string& encoder) const;

  env::FileSystem& files_;
  const std::string& in_;
  std::span<const std::string> omit_;
  formats::ArtefactWriter& artefact_;
  std::set<std::string> written_;
};

Status Companions::CopyFolder(const std::string& folder, const std::string& prefix) {
  HONE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(folder));
  for (const std::string& name : names) {
    const std::string path = env::JoinPath(folder, name), out = prefix + name;
    // A sub-folder (2_Dense) keeps its own small weights and config.
    if (!files_.IsFile(path) || (prefix.empty() && IsWeightsOrRewritten(name))) continue;
    if (IsLeftOut(out) || written_.contains(out)) continue;
    HONE_ASSIGN_OR_RETURN(const std::shared_ptr<const env::MappedFile> file, files_.Map(path));
    if (file->bytes().size() > kMaxCopiedBytes) continue;
    HONE_RETURN_IF_ERROR(artefact_.Copy(path, out));
    written_.insert(out);
  }
  return base::OkStatus();
}

Status Companions::WriteModules(const base::Json& modules, const std::string& encoder) {
  base::JsonWriter writer(2);
  writer.BeginArray();
  for (const base::JsonValue module : modules.root()) {
    HONE_ASSIGN_OR_RETURN(const std::string_view folder, module.StringOr("path", ""));
    writer.BeginObject();
    for (const base::JsonValue member : module) {
      writer.Key(member.key());
      if (member.key() == "path" && env::JoinPath(in_, folder) == encoder) {
        writer.String("");
      } else {
        writer.Value(member);
      }
    }
    writer.EndObject();
  }
  HONE_RETURN_IF_ERROR(artefact_.Write(kModulesFile, writer.EndArray().Take() + "\n"));
  written_.insert(kModulesFile);
  return base::OkStatus();
}

StatusOr<std::vector<std::string>> Companions::ModuleFolders(const base::Json& modules,
                                                             const std::string& encoder) const {
  std::vector<std::string> folders;
  for (const base::JsonValue module : modules.root()) {
    HONE_ASSIGN_OR_RETURN(const std::string_view folder, module.StringOr("path", ""));
    if (folder.empty() || folder == ".") continue;
    if (folder == ".." || folder.find('/') != std::string_view::npos) {
      return module.Error("expected \"path\" to name a folder inside the model");
    }
    const std::string full = env::JoinPath(in_, folder);
    if (full != encoder && files_.IsDirectory(full)) folders.emplace_back(folder);
  }
  std::ranges::sort(folders);
  folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
  return folders;
}

Status Companions::Copy() {
  HONE_ASSIGN_OR_RETURN(const std::string encoder, formats::EncoderDirectory(files_, in_));
  const bool apart = encoder != in_;
  std::vector<std::string> folders;
  if (const std::string path = env::JoinPath(in_, kModulesFile); files_.IsFile(path)) {
    HONE_ASSIGN_OR_RETURN(const std::string text, files_.Read(path, kMaxJsonBytes));
    HONE_ASSIGN_OR_RETURN(const base::Json modules, base::Json::Parse(text, path));
    if (apart && !IsLeftOut(kModulesFile)) {
      HONE_RETURN_IF_ERROR(WriteModules(modules, encoder));
    }
    HONE_ASSIGN_OR_RETURN(folders, ModuleFolders(modules, encoder));
  }
  HONE_RETURN_IF_ERROR(CopyFolder(in_, ""));
  if (apart) HONE_RETURN_IF_ERROR(CopyFolder(encoder, ""));
  for (const std::string& folder : folders) {
    if (IsLeftOut(folder)) continue;
    HONE_RETURN_IF_ERROR(CopyFolder(env::JoinPath(in_, folder), folder + "/"));
  }
  return base::OkStatus();
}

}  // namespace

Status CopyCompanions(env::FileSystem& files, const std::string& in,
                      std::span<const std::string> omit, formats::ArtefactWriter* artefact) {
  return Companions(files, in, omit, artefact).Copy();
}

std::string LastComponent(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  return std::string(path.substr(path.find_last_of('/') + 1));
}

}  // namespace hone::compress
