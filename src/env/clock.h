// The monotonic clock, and the calendar's.
#pragma once

#include <cstdint>

namespace hone::env {

// Nanoseconds since some moment; never goes back. Only differences mean something.
std::int64_t NowNs();

// The calendar's clock: seconds since 1970 in UTC. May be set back.
std::int64_t UnixSeconds();

// The same difference in milliseconds: from `start_ns`, an earlier NowNs(), until now.
double MsSince(std::int64_t start_ns);

// Processor time of the calling thread, nanoseconds: stands still while it waits or others run.
std::int64_t ThreadNs();

// Milliseconds since this process began, time in the dynamic loader (and in a program that handed over
// to this one) included: what a caller waits for a start. Read as processor time until the first
// statement, so that waiting for a disk before it does not count.
double MsSinceProcessStart();

}  // namespace hone::env
