#include "env/temporaries.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "env/file.h"

namespace hone::env {
namespace {

// In a child, which the signal ends.
TEST(Temporaries, AreGoneWhereASignalEndsTheProcess) {
  FileSystem& files = RealFileSystem();
  const std::string directory = *files.MakeTemporaryDirectory(testing::TempDir() + "stopped");
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    const pid_t child = fork();
    if (child == 0) {
      RemoveTemporariesWhenStopped();
      const std::string mine = JoinPath(directory, "mine"), kept = JoinPath(directory, "kept");
      if (!files.MakeDirectory(mine).ok() || !files.MakeDirectory(kept).ok()) _exit(9);
      const Temporary unfinished(mine);
      { const Temporary finished(kept); }
      const auto inside = files.Create(JoinPath(mine, "a"));
      const auto beside = files.Create(JoinPath(directory, "b"));
      if (!inside.ok() || !beside.ok()) _exit(9);
      kill(getpid(), number);
      while (true) pause();
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << status;
    EXPECT_EQ(*files.List(directory), std::vector<std::string>{"kept"});
  }
  ASSERT_TRUE(files.RemoveTree(directory).ok());
}

}  // namespace
}  // namespace hone::env
