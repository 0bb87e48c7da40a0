#include "formats/directory.h"

#include "base/json.h"

namespace hone::formats {

using base::StatusOr;

StatusOr<std::vector<Module>> ParseModules(std::string_view text, std::string_view source) {
  HONE_ASSIGN_OR_RETURN(const base::Json file, base::Json::Parse(text, source));
  if (!file.root().IsArray()) return file.root().Error("expected an array of modules");
  std::vector<Module> modules;
  for (const base::JsonValue entry : file.root()) {
    HONE_ASSIGN_OR_RETURN(const base::JsonValue type_field, entry.Get("type"));
    HONE_ASSIGN_OR_RETURN(const std::string_view type, type_field.String());
    HONE_ASSIGN_OR_RETURN(const std::string_view path, entry.StringOr("path", ""));
    // A folder beside modules.json: nothing that leaves the directory.
    if (path.starts_with('/') || path.find("..") != std::string_view::npos ||
        path.find('\0') != std::string_view::npos) {
      return entry.Error("expected \"path\" to name a folder beside modules.json");
    }
    modules.push_back({std::string(type.substr(type.rfind('.') + 1)), std::string(path)});
  }
  return modules;
}

StatusOr<std::string> EncoderDirectory(env::FileSystem& files, const std::string& directory) {
  if (!files.IsDirectory(directory)) {
    return base::NotFound(directory, ": is not a directory; expected one with config.json");
  }
  if (files.IsFile(env::JoinPath(directory, "config.json"))) return directory;
  const std::string path = env::JoinPath(directory, "modules.json");
  if (!files.IsFile(path)) return directory;
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxConfigBytes));
  HONE_ASSIGN_OR_RETURN(const std::vector<Module> modules, ParseModules(text, path));
  for (const Module& module : modules) {
    if (module.type == "Transformer") return env::JoinPath(directory, module.path);
  }
  return directory;
}

}  // namespace hone::formats
