#include "env/stop_signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

namespace hone::env {
namespace {

// In a child, since a signal's disposition is the whole process's.
int InChild(int first, const char* name, int second) {
  const pid_t child = fork();
  if (child == 0) {
    HoldStopSignals();
    kill(getpid(), first);
    if (std::strcmp(WaitForStopSignal(), name) != 0) _exit(9);
    if (second != 0) kill(getpid(), second);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(StopSignal, TheFirstIsToldAndTheSecondEndsTheProcess) {
  const int told = InChild(SIGTERM, "SIGTERM", 0);
  EXPECT_TRUE(WIFEXITED(told) && WEXITSTATUS(told) == 0);
  const int other = InChild(SIGINT, "SIGINT", 0);
  EXPECT_TRUE(WIFEXITED(other) && WEXITSTATUS(other) == 0);
  const int twice = InChild(SIGTERM, "SIGTERM", SIGTERM);
  EXPECT_TRUE(WIFSIGNALED(twice) && WTERMSIG(twice) == SIGTERM);
}

}  // namespace
}  // namespace hone::env
