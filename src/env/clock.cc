#include "env/clock.h"

#include <chrono>

namespace hone::env {

std::int64_t NowNs() {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

double MsSince(std::int64_t start_ns) {
  return static_cast<double>(NowNs() - start_ns) * 1e-6;
}

}  // namespace hone::env
