// Every request of a run, in the order of their moments.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "base/time_ns.h"
#include "load/load.h"

namespace hone::load {

struct Planned {
  base::TimeNs at = 0;
  std::int32_t tokens = 0;  // 0: a text as it is
  std::int32_t stream = 0;
  std::int32_t step = 0;  // of the ramp; 0 without one
};

// Errors name the field that makes no sense. A ramp plays each stream's process on a clock that runs with
// the rate: bursts stay bursts, and a trace goes on from step to step.
base::StatusOr<std::vector<Planned>> MakePlan(const LoadRequest& request);

// Of the whole: the ramp's sum, or `seconds`.
double PlannedSeconds(const LoadRequest& request);

}  // namespace hone::load
