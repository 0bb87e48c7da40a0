// Whether the machine has what a run will take, asked before it begins.
#pragma once

#include <string>

#include "base/status.h"
#include "compress/trainer.h"
#include "train/prepare.h"

namespace hone::train {

// What will be needed, for people: "needs about 1083 MiB of memory (…) and 693 MiB of disk". Too
// little of either is an error that says what would need less. `teacher` may be null.
base::StatusOr<std::string> CheckResources(const Prepared& prepared,
                                           const compress::TrainRequest& request,
                                           const model::Model* teacher);

}  // namespace hone::train
