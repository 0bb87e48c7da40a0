// Whether the machine has what a run will take, asked before it begins.
#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"
#include "compress/trainer.h"
#include "train/prepare.h"

namespace hone::train {

struct Resources {
  // For people: "needs about 1083 MiB of memory (…) and 693 MiB of disk".
  std::string text;
  // What the teacher's answers may take (teacher_memory.h): all of them, or half of what is left.
  std::uint64_t answers = 0;
};

// Too little memory or disk is an error that says what would need less. `teacher` may be null.
base::StatusOr<Resources> CheckResources(const Prepared& prepared,
                                         const compress::TrainRequest& request,
                                         const model::Model* teacher);

}  // namespace hone::train
