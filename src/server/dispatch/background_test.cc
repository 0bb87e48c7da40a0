#include "server/dispatch/background.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace hone::server {
namespace {

TEST(BackgroundThread, LooksWhenWokenButNeverWhileAJobRuns) {
  std::atomic<bool> running = false, overlap = false;
  std::atomic<int> looks = 0;
  std::promise<void> looked;
  BackgroundThread thread([&](double seconds) {
    EXPECT_GE(seconds, 0);
    overlap = overlap || running;
    if (++looks == 1) looked.set_value();
  });
  thread.Run([&] {
    running = true;
    thread.Wake();
    EXPECT_EQ(looks, 0);
    running = false;
  });
  looked.get_future().wait();
  EXPECT_FALSE(overlap);
}

TEST(BackgroundThread, RunReturnsWhenTheJobIsDoneAndAtOnceAfterStop) {
  BackgroundThread thread([](double) {});
  int done = 0;
  thread.Run([&] { ++done; });
  EXPECT_EQ(done, 1);
  thread.Stop();
  thread.Run([&] { ++done; });
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace hone::server
