#include "env/thread.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>

#include <algorithm>
#include <thread>

namespace hone::env {
namespace {

TEST(Thread, BackgroundIsOneThreadsOwn) {
  const int before = getpriority(PRIO_PROCESS, 0);
  int inside = 0, policy = -1;
  std::thread thread([&] {
    RunInBackground();
    inside = getpriority(PRIO_PROCESS, 0);
    policy = sched_getscheduler(0);
  });
  thread.join();
  EXPECT_EQ(inside, 19);
  EXPECT_EQ(policy, SCHED_IDLE);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
  EXPECT_NE(sched_getscheduler(0), SCHED_IDLE);
}

TEST(Thread, PatienceIsOneThreadsOwnAndHasAnEnd) {
  const int before = getpriority(PRIO_PROCESS, 0);
  int once = 0, often = 0;
  std::thread thread([&] {
    RunPatiently();
    once = getpriority(PRIO_PROCESS, 0);
    for (int i = 0; i < 3; ++i) RunPatiently();
    often = getpriority(PRIO_PROCESS, 0);
  });
  thread.join();
  EXPECT_EQ(once, std::min(before + 10, 19));
  EXPECT_EQ(often, 19);
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

TEST(Thread, StaysOnTheProcessorOfThatNumber) {
  bool first = false, none = true;
  int cpu = -1, again = -2;
  std::thread thread([&] {
    none = StayOnCpu(1 << 20);
    first = StayOnCpu(0);
    cpu = sched_getcpu();
    for (int i = 0; i < 100; ++i) std::this_thread::yield();
    again = sched_getcpu();
  });
  thread.join();
  EXPECT_TRUE(first);
  EXPECT_FALSE(none);
  EXPECT_EQ(cpu, again);
}

}  // namespace
}  // namespace hone::env
