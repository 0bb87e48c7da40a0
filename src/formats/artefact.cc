#include "formats/artefact.h"

#include <algorithm>

#include "base/json.h"
#include "formats/sha256.h"

namespace hone::formats {
namespace {

using base::Status;
using base::StatusOr;

constexpr std::uint64_t kMaxManifestBytes = 16 << 20;

// No absolute path, no "..", no empty part: the name stays inside the directory.
bool IsRelativeName(std::string_view name) {
  if (name.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

std::string WithoutTrailingSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

// What --force may remove: nothing, or what Hone or another library wrote as a model. Many a project has a
// config.json.
Status CheckReplaceable(env::FileSystem& files, const std::string& directory) {
  HONE_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  const auto has = [&](std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  };
  const bool weights = std::ranges::any_of(names, [](std::string_view name) {
    return name.ends_with(".safetensors") || name.ends_with(".safetensors.index.json") ||
           name == "pytorch_model.bin";
  });
  const bool model = has(kManifestFile) || has("modules.json") || (has("config.json") && weights);
  if (names.empty() || model) return base::OkStatus();
  return base::AlreadyExists(
      directory, ": is no model (it has neither ", kManifestFile,
      " nor config.json with weights), so it is not replaced; choose another "
      "name or remove it yourself");
}

std::string ManifestText(const Manifest& manifest) {
  base::JsonWriter json(2);
  json.BeginObject().Key("schema").Int(kManifestSchema).Key("tool").String(manifest.tool);
  json.Key("source").String(manifest.source).Key("format").String(manifest.format);
  json.Key("files").BeginObject();
  for (const ManifestFile& file : manifest.files) {
    json.Key(file.name).BeginObject().Key("bytes").Int(static_cast<std::int64_t>(file.bytes));
    json.Key("sha256").String(file.sha256).EndObject();
  }
  return json.EndObject().EndObject().Take() + "\n";
}

StatusOr<std::string> StringField(const base::JsonValue& object, std::string_view name) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue value, object.Get(name));
  HONE_ASSIGN_OR_RETURN(const std::string_view text, value.String());
  return std::string(text);
}

}  // namespace

StatusOr<Manifest> ReadManifest(env::FileSystem& files, const std::string& directory) {
  const std::string path = env::JoinPath(directory, kManifestFile);
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxManifestBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(text, path));
  const base::JsonValue root = json.root();
  HONE_ASSIGN_OR_RETURN(const base::JsonValue schema, root.Get("schema"));
  HONE_ASSIGN_OR_RETURN(const std::int64_t version, schema.Int());
  if (version != kManifestSchema) {
    return base::Unsupported(schema.Where(), ": version ", version, "; this program reads ",
                             kManifestSchema);
  }
  Manifest manifest;
  HONE_ASSIGN_OR_RETURN(manifest.tool, StringField(root, "tool"));
  HONE_ASSIGN_OR_RETURN(manifest.source, StringField(root, "source"));
  HONE_ASSIGN_OR_RETURN(manifest.format, StringField(root, "format"));
  HONE_ASSIGN_OR_RETURN(const base::JsonValue list, root.Get("files"));
  if (!list.IsObject()) return list.Error("expected an object of files");
  for (const base::JsonValue entry : list) {
    ManifestFile file;
    file.name = std::string(entry.key());
    if (!IsRelativeName(file.name)) return entry.Error("expected a name inside the directory");
    HONE_ASSIGN_OR_RETURN(const base::JsonValue bytes, entry.Get("bytes"));
    HONE_ASSIGN_OR_RETURN(const std::int64_t size, bytes.Int());
    file.bytes = static_cast<std::uint64_t>(size);
    HONE_ASSIGN_OR_RETURN(file.sha256, StringField(entry, "sha256"));
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

Status VerifyManifest(env::FileSystem& files, const std::string& directory,
                      const Manifest& manifest) {
  for (const ManifestFile& file : manifest.files) {
    const std::string path = env::JoinPath(directory, file.name);
    HONE_ASSIGN_OR_RETURN(const std::shared_ptr<const env::MappedFile> mapped, files.Map(path));
    if (mapped->bytes().size() != file.bytes) {
      return base::BadInput(path, ": has ", base::WithCommas(mapped->bytes().size()), " bytes; ",
                            kManifestFile, " says ", base::WithCommas(file.bytes));
    }
    const std::string actual = Sha256Hex(mapped->bytes());
    if (actual != file.sha256) {
      return base::BadInput(path, ": has sha256 ", actual, "; ", kManifestFile, " says ",
                            file.sha256);
    }
  }
  return base::OkStatus();
}

ArtefactWriter::ArtefactWriter(env::FileSystem& files, std::string out, std::string directory,
                               bool replace)
    : files_(files), out_(std::move(out)), directory_(std::move(directory)), replace_(replace) {
  unfinished_.emplace(directory_);
}

ArtefactWriter::~ArtefactWriter() {
  // Nothing can be done about a failure here; the name says that it is a leftover.
  if (!directory_.empty()) files_.RemoveTree(directory_).IgnoreError();
}

StatusOr<std::unique_ptr<ArtefactWriter>> ArtefactWriter::Begin(env::FileSystem& files,
                                                                const std::string& out_path,
                                                                bool replace) {
  const std::string out = WithoutTrailingSlash(out_path);
  if (out.empty()) return base::BadInput("the output directory has no name");
  if (files.IsFile(out)) return base::BadInput(out, ": is a file; expected a new directory's name");
  if (files.IsDirectory(out) && !replace) {
    return base::AlreadyExists(out, ": exists already; choose another name");
  }
  if (files.IsDirectory(out)) HONE_RETURN_IF_ERROR(CheckReplaceable(files, out));
  HONE_ASSIGN_OR_RETURN(std::string directory, files.MakeTemporaryDirectory(out + ".partial"));
  return std::unique_ptr<ArtefactWriter>(
      new ArtefactWriter(files, out, std::move(directory), replace));
}

StatusOr<std::string> ArtefactWriter::Place(const std::string& name) {
  if (!IsRelativeName(name)) {
    return base::BadInput("\"", name, "\": expected a name inside the artefact");
  }
  for (std::size_t slash = name.find('/'); slash != std::string::npos;
       slash = name.find('/', slash + 1)) {
    HONE_RETURN_IF_ERROR(files_.MakeDirectory(env::JoinPath(directory_, name.substr(0, slash))));
  }
  return env::JoinPath(directory_, name);
}

Status ArtefactWriter::Record(const std::string& name) {
  HONE_ASSIGN_OR_RETURN(const std::shared_ptr<const env::MappedFile> file,
                        files_.Map(env::JoinPath(directory_, name)));
  written_.push_back({name, file->bytes().size(), Sha256Hex(file->bytes())});
  return base::OkStatus();
}

Status ArtefactWriter::Write(const std::string& name, std::string_view bytes) {
  HONE_ASSIGN_OR_RETURN(const std::string path, Place(name));
  HONE_RETURN_IF_ERROR(env::WriteFile(files_, path, bytes));
  return Record(name);
}

Status ArtefactWriter::Copy(const std::string& from_path, const std::string& name) {
  HONE_ASSIGN_OR_RETURN(const std::string path, Place(name));
  HONE_ASSIGN_OR_RETURN(const std::shared_ptr<const env::MappedFile> from, files_.Map(from_path));
  HONE_ASSIGN_OR_RETURN(const std::unique_ptr<env::PendingFile> to, files_.Create(path));
  HONE_RETURN_IF_ERROR(to->Append(from->bytes()));
  HONE_RETURN_IF_ERROR(to->Commit());
  return Record(name);
}

Status ArtefactWriter::WriteTensors(const std::string& name, std::vector<TensorToWrite> tensors,
                                    std::span<const std::pair<std::string, std::string>> metadata) {
  HONE_ASSIGN_OR_RETURN(const std::string path, Place(name));
  HONE_RETURN_IF_ERROR(WriteSafetensors(files_, path, std::move(tensors), metadata));
  return Record(name);
}

Status ArtefactWriter::Commit(Manifest manifest) {
  manifest.files = written_;
  std::ranges::sort(manifest.files, {}, &ManifestFile::name);
  HONE_RETURN_IF_ERROR(
      env::WriteFile(files_, env::JoinPath(directory_, kManifestFile), ManifestText(manifest)));
  unfinished_.reset();  // who stops it from here on finds it whole
  std::string old;
  if (replace_ && files_.IsDirectory(out_)) {
    HONE_RETURN_IF_ERROR(CheckReplaceable(files_, out_));  // it may have changed meanwhile
    // The rename below replaces nothing, so the old directory makes room first.
    HONE_ASSIGN_OR_RETURN(const std::string aside, files_.MakeTemporaryDirectory(out_ + ".old"));
    old = aside;
    Status aside_moved = files_.Move(out_, env::JoinPath(old, "artefact"));
    if (!aside_moved.ok()) {
      files_.RemoveTree(old).IgnoreError();
      return aside_moved;
    }
  }
  Status moved = files_.Move(directory_, out_);
  if (!moved.ok()) {
    if (!old.empty() && files_.Move(env::JoinPath(old, "artefact"), out_).ok()) {
      files_.RemoveTree(old).IgnoreError();
    }
    return moved;
  }
  directory_.clear();
  return old.empty() ? base::OkStatus() : files_.RemoveTree(old);
}

}  // namespace hone::formats
