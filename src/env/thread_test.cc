#include "env/thread.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <thread>

namespace hone::env {
namespace {

TEST(Thread, BackgroundIsOneThreadsOwn) {
  const int before = getpriority(PRIO_PROCESS, 0);
  int inside = 0;
  std::thread thread([&inside] {
    RunInBackground();
    inside = getpriority(PRIO_PROCESS, 0);
  });
  thread.join();
  EXPECT_EQ(inside, 19);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

TEST(Thread, PromptlyKeepsTheShare) {
  const int before = getpriority(PRIO_PROCESS, 0);
  int inside = 0;
  std::thread thread([&inside] {
    RunPromptly();
    inside = getpriority(PRIO_PROCESS, 0);
  });
  thread.join();
  EXPECT_EQ(inside, before);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace hone::env
