// training.json: what a finished run was asked for and what came of it.
#pragma once

#include <string>

#include "base/status.h"
#include "compress/trainer.h"
#include "env/file.h"

namespace hone::train {

inline constexpr std::string_view kResultFile = "training.json";

std::string ResultText(const compress::TrainResult& result, const std::string& request);

// The result in directory `out`. Errors: none there, or a run of another request ended there.
base::StatusOr<compress::TrainResult> ReadResult(env::FileSystem& files, const std::string& out,
                                                 const std::string& request);

}  // namespace hone::train
