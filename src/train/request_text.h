// A request as JSON text: what decides a run's result, and nothing else, so that a run is gone on
// with only where the same was asked for. Threads, log and resume are left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "compress/trainer.h"

namespace hone::train {

// `contents`: a digest of each file that the run reads, in a fixed order (the training files, dev, the
// models), so that a run is not gone on with where another stands under the same name.
std::string RequestText(const compress::TrainRequest& request,
                        const std::vector<std::string>& contents);

// "learning_rate: 0.00005, was 0.0001" of the first member that differs; empty: none.
std::string FirstDifference(std::string_view now, std::string_view then);

// A value that no run can be made with: "the batch is 0; expected at least 1".
base::Status CheckRequest(const compress::TrainRequest& request);

}  // namespace hone::train
