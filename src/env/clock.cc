#include "env/clock.h"

#include <time.h>

#include <chrono>
#include <ctime>

namespace hone::env {

std::int64_t NowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

std::int64_t UnixSeconds() {
  return std::time(nullptr);
}

double MsSince(std::int64_t start_ns) {
  return static_cast<double>(NowNs() - start_ns) * 1e-6;
}

namespace {

std::int64_t Read(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// Of all threads; before main there is one, and it has run ever since the process began.
const std::int64_t kProcessStartNs = NowNs() - Read(CLOCK_PROCESS_CPUTIME_ID);

}  // namespace

std::int64_t ThreadNs() {
  return Read(CLOCK_THREAD_CPUTIME_ID);
}

double MsSinceProcessStart() {
  return MsSince(kProcessStartNs);
}

}  // namespace hone::env
