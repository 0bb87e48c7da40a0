// The end of a rung and of the ladder: measuring what was made, and putting it in its place.
#pragma once

#include <string>

#include "base/status.h"
#include "compress/ladder/job.h"

namespace hone::compress {

// Metric, latency (in turn with the dense model), figures and changed answers of the model in
// `directory`, which becomes the ladder's folder `name`.
base::StatusOr<LadderRung> MeasureRung(CompressJob& job, const std::string& name,
                                       const std::string& directory);

// Times each rung once more, in turn with the dense model; writes the ladder to OUT with the hash of
// every file and the report, and removes OUT.partial. OUT appears whole or not at all.
base::StatusOr<LadderReport> FinishLadder(CompressJob& job);

// Every file below the directory, hashed, but for its own hone.json; names ascending.
base::StatusOr<std::vector<formats::ManifestFile>> HashTree(env::FileSystem& files,
                                                            const std::string& directory);

}  // namespace hone::compress
