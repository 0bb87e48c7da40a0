// Latency tables kept between starts: one file a device and model (planner/table_file.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/isa.h"
#include "env/file.h"
#include "planner/table_file.h"

namespace hone::server {

// What the tables hold for: "Intel(R) Xeon(R) Processor / avx512_vnni / 2".
std::string DeviceName(base::Isa isa, int threads);

class KeptTables {
 public:
  // `directory` empty: nothing is kept. It is made where it is missing.
  KeptTables(env::FileSystem& files, std::string directory, std::string device)
      : files_(files), directory_(std::move(directory)), device_(std::move(device)) {}

  // The tables of a model whose content is `content` (model_files.h) with exactly these rungs and
  // executor widths; nothing where there are none, or where the file is broken: *note then says why.
  std::optional<planner::TableFile> Read(const std::string& content,
                                         const std::vector<std::string>& rungs,
                                         const std::vector<int>& widths, std::string* note) const;
  // Fills in the device. Replaces a file that is there.
  base::Status Write(const std::string& content, planner::TableFile tables) const;

  std::string PathOf(const std::string& content) const;

 private:
  env::FileSystem& files_;
  std::string directory_, device_;
};

}  // namespace hone::server
