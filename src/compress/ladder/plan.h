// How long a compression will take on this machine, and whether it has the room.
#pragma once

#include <cstddef>

#include "base/status.h"
#include "compress/ladder/job.h"

namespace hone::compress {

// The dense model's outputs on the search's texts, and from the time they took the plan. Errors: a
// budget that is too short, memory or disk that will not do.
base::Status MakePlan(CompressJob& job, std::size_t rungs);

}  // namespace hone::compress
