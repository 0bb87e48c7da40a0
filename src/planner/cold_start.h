// How long a rung takes from disk into memory while others are served: one thread of lowest priority, which has
// the time that they leave.
#pragma once

#include <cstdint>

#include "base/time_ns.h"

namespace hone::planner {

// Milliseconds of one thread. `seen_ms`: what a load on `threads` threads took; 0: none was seen, and its size
// says it (half a gigabyte a second and thread, mapped, packed and run once).
double LoadWorkMs(double seen_ms, int threads, std::uint64_t bytes);

// From asking to ready, as a request that waits for the rung may count on.
double ExpectedLoadMs(double work_ms);

// Whether a request may wait for a rung that is expected in `load_ms`: its deadline leaves the time to compute it
// then.
bool MayWait(double load_ms, base::TimeNs compute_ns, base::TimeNs now, base::TimeNs deadline);

}  // namespace hone::planner
