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

TEST(Clock, KnowsTheCentury) {
  EXPECT_GT(UnixSeconds(), 1'700'000'000);
  EXPECT_LT(UnixSeconds(), 4'100'000'000);
}

TEST(Clock, CountsFromBeforeMain) {
  const double before_ms = MsSinceProcessStart();
  EXPECT_GT(before_ms, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(3));
  EXPECT_GE(MsSinceProcessStart(), before_ms + 3.0);
}

}  // namespace
}  // namespace hone::env
