#include "env/clock.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace hone::env {
namespace {

TEST(Clock, AdvancesByWhatWasSlept) {
  const std::int64_t start = NowNs();
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  const double slept_ms = MsSince(start);
  EXPECT_GE(slept_ms, 3.0);
  EXPECT_GE(static_cast<double>(NowNs() - start) * 1e-6, slept_ms);
}

}  // namespace
}  // namespace hone::env
