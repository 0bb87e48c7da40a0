// Latency tables kept between starts: one file a device and model (planner/table_file.h). Serving does not depend
// on them: what goes wrong is a warning, of each file once, and once in all where they cannot be written.
//
// Thread-safety  one thread at a time.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/isa.h"
#include "env/file.h"
#include "planner/table_file.h"
#include "server/models/model_files.h"

namespace hone::server {

// What the tables hold for: "Intel(R) Xeon(R) Processor / avx512_vnni / 2".
std::string DeviceName(base::Isa isa, int threads);

class KeptTables {
 public:
  using Warn = std::function<void(const std::string&)>;

  // `directory` empty: nothing is kept. It is made where it is missing, with those above it.
  KeptTables(env::FileSystem& files, std::string directory, std::string device, Warn warn)
      : files_(files),
        directory_(std::move(directory)),
        device_(std::move(device)),
        warn_(std::move(warn)) {}

  // The tables of a model with exactly its rungs and these executor widths; nothing where there are none, or
  // where the file is broken.
  std::optional<planner::TableFile> Read(const ModelFiles& model, const std::vector<int>& widths);
  // Fills in the device. Replaces a file that is there. `content` as of ModelFiles.
  void Write(const std::string& content, planner::TableFile tables);

  std::string PathOf(const std::string& content) const;

 private:
  void WarnOnce(const std::string& about, const std::string& message);
  base::Status TryToWrite(const std::string& path, const planner::TableFile& tables);

  env::FileSystem& files_;
  const std::string directory_, device_;
  const Warn warn_;               // empty: nobody wants to know
  std::set<std::string> warned_;  // of these files; "": of writing
};

}  // namespace hone::server
