#include "env/stop_signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
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
  const int gone = InChild(SIGHUP, "SIGHUP", 0);
  EXPECT_TRUE(WIFEXITED(gone) && WEXITSTATUS(gone) == 0);
  const int twice = InChild(SIGTERM, "SIGTERM", SIGTERM);
  EXPECT_TRUE(WIFSIGNALED(twice) && WTERMSIG(twice) == SIGTERM);
}

TEST(StopSignal, WhatIsIgnoredFromTheStartStaysIgnored) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGHUP, SIG_IGN);  // as nohup
    HoldStopSignals();
    kill(getpid(), SIGHUP);
    kill(getpid(), SIGINT);
    _exit(std::strcmp(WaitForStopSignal(), "SIGINT") == 0 ? 0 : 9);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(StopSignal, AProcessOutlivesWhoReadsIt) {
  const pid_t child = fork();
  if (child == 0) {
    OutliveReaders();
    int ends[2];
    if (pipe(ends) != 0) _exit(9);
    close(ends[0]);
    _exit(write(ends[1], "x", 1) == -1 && errno == EPIPE ? 0 : 9);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace
}  // namespace hone::env
