// Hone's artefact: a Hugging Face directory with a manifest, hone.json, written whole or not at
// all.
//
//   {"schema": 1, "tool": "hone 0.1.0", "source": "all-MiniLM-L6-v2", "format": "int8",
//    "files": {"config.json": {"bytes": 612, "sha256": "…"}, "1_Pooling/config.json": {…}, …}}
//
// The directory is put together beside its place, under a temporary name, and renamed at the end:
// nobody ever sees half an artefact, and an error leaves nothing.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "env/temporaries.h"
#include "formats/safetensors_writer.h"

namespace hone::formats {

inline constexpr int kManifestSchema = 1;
inline constexpr std::string_view kManifestFile = "hone.json";

struct ManifestFile {
  std::string name;  // relative to the directory, with "/" between folders
  std::uint64_t bytes = 0;
  std::string sha256;
};

struct Manifest {
  std::string tool;    // name and version of the program that wrote it
  std::string source;  // what it was made from, for people
  std::string format;  // quant::NameOf
  std::vector<ManifestFile> files;
};

// Errors: no hone.json (NotFound), a schema newer than this program's, fields of the wrong kind,
// names that leave the directory.
base::StatusOr<Manifest> ReadManifest(env::FileSystem& files, const std::string& directory);

// Holds every file of the manifest to its length and hash; names the first that differs.
base::Status VerifyManifest(env::FileSystem& files, const std::string& directory,
                            const Manifest& manifest);

// Collects the files of one artefact. Names are relative: "config.json", "1_Pooling/config.json".
// Owns the temporary directory: the destructor removes it unless Commit succeeded.
class ArtefactWriter {
 public:
  // `out` must not exist, unless `replace`: then it may be empty or a model's directory, no other. Its
  // parent directory must exist.
  static base::StatusOr<std::unique_ptr<ArtefactWriter>> Begin(env::FileSystem& files,
                                                               const std::string& out,
                                                               bool replace);
  ~ArtefactWriter();
  ArtefactWriter(const ArtefactWriter&) = delete;
  ArtefactWriter& operator=(const ArtefactWriter&) = delete;

  base::Status Write(const std::string& name, std::string_view bytes);
  base::Status Copy(const std::string& from_path, const std::string& name);
  base::Status WriteTensors(const std::string& name, std::vector<TensorToWrite> tensors,
                            std::span<const std::pair<std::string, std::string>> metadata);

  // Writes hone.json (manifest.files is filled in here) and renames the directory to `out`. With
  // `replace`, the old directory is moved aside first, put back if the rename fails, and removed
  // after.
  base::Status Commit(Manifest manifest);

 private:
  ArtefactWriter(env::FileSystem& files, std::string out, std::string directory, bool replace);
  base::StatusOr<std::string> Place(const std::string& name);  // makes its folder
  base::Status Record(const std::string& name);                // hashes what was written

  env::FileSystem& files_;
  std::string out_;
  std::string directory_;  // temporary; empty once committed
  std::optional<env::Temporary> unfinished_;
  bool replace_;
  std::vector<ManifestFile> written_;
};

}  // namespace hone::formats
