// The monotonic clock.
#pragma once

#include <cstdint>

namespace hone::env {

// Nanoseconds since some moment; never goes back. Only differences mean something.
std::int64_t NowNs();

// The same difference in milliseconds: from `start_ns`, an earlier NowNs(), until now.
double MsSince(std::int64_t start_ns);

}  // namespace hone::env
