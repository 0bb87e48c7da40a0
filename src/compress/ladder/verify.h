// A ladder against what its hone.json says of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/ladder/ladder.h"
#include "env/file.h"
#include "runtime/local_engine.h"

namespace hone::compress {

struct FileFault {
  std::string name;  // relative to the ladder
  std::string what;  // "is missing", "has 612 bytes; 640 were written", …
};

// Every file that is not as it was written, and every one of a rung that was not written at all.
// report.html, which people may edit, counts like the rest.
base::StatusOr<std::vector<FileFault>> CheckHashes(
    env::FileSystem& files, const std::string& directory, const LadderReport& ladder,
    const std::function<void(std::size_t done, std::size_t total)>& progress);

// The rungs in turn, over the lengths that they were measured with.
base::StatusOr<std::vector<LatencyFigures>> MeasureRungs(env::FileSystem& files,
                                                         const std::string& directory,
                                                         const LadderReport& ladder,
                                                         const runtime::EngineOptions& engine,
                                                         double seconds_a_rung);

}  // namespace hone::compress
