#include "env/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>

#include "env/faulty_files.h"

// Stands in for a file system without RENAME_NOREPLACE, such as NFS: this program's own definition
// comes before the C library's.
static bool g_without_noreplace = false;

extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to,
                         unsigned flags) noexcept {
  if (g_without_noreplace && flags != 0) {
    errno = EINVAL;
    return -1;
  }
  return static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

namespace hone::env {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A directory of the test's own, removed after it.
class FileTest : public testing::Test {
 protected:
  FileTest()
      : directory_(*RealFileSystem().MakeTemporaryDirectory(testing::TempDir() + "hone_file")) {}
  ~FileTest() override { EXPECT_TRUE(RealFileSystem().RemoveTree(directory_).ok()); }

  std::string Path(std::string_view name) const { return JoinPath(directory_, name); }
  std::vector<std::string> Names() const { return *files_.List(directory_); }

  FileSystem& files_ = RealFileSystem();
  std::string directory_;
};

TEST_F(FileTest, WritesReadsAndMaps) {
  ASSERT_TRUE(WriteFile(files_, Path("a"), "text").ok());
  EXPECT_EQ(*files_.Read(Path("a"), 4), "text");
  const auto mapped = files_.Map(Path("a"));
  ASSERT_TRUE(mapped.ok());
  EXPECT_EQ((*mapped)->bytes().size(), 4u);
  EXPECT_EQ((*mapped)->bytes()[1], std::byte{'e'});
  (*mapped)->DropPages((*mapped)->bytes().data(), 4);
  EXPECT_EQ((*mapped)->bytes()[3], std::byte{'t'}) << "still there after DropPages";
  ASSERT_TRUE(WriteFile(files_, Path("a"), "").ok());
  EXPECT_EQ((*files_.Map(Path("a")))->bytes().size(), 0u);
  EXPECT_THAT(Names(), ElementsAre("a"));
}

TEST_F(FileTest, ReadRefusesMoreThanTheLimit) {
  ASSERT_TRUE(WriteFile(files_, Path("a"), "12345").ok());
  EXPECT_THAT(files_.Read(Path("a"), 4).status().message(),
              HasSubstr("a: has 5 bytes; the limit for this kind of file is 4"));
}

TEST_F(FileTest, WhatIsNoRegularFileIsRefusedByName) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  for (const std::string& path : {directory_, Path("pipe"), std::string("/dev/zero")}) {
    EXPECT_THAT(files_.Map(path).status().message(), HasSubstr(path + ": is "));
    EXPECT_THAT(files_.Read(path, 100).status().message(), HasSubstr(path + ": is "));
    EXPECT_FALSE(files_.IsFile(path));
  }
  EXPECT_EQ(files_.Map(Path("absent")).status().code(), base::StatusCode::kNotFound);
  EXPECT_THAT(files_.Map(Path("absent")).status().message(),
              HasSubstr("absent: cannot open: No such file"));
}

TEST_F(FileTest, UnreadableFilesAreAnError) {
  ASSERT_TRUE(WriteFile(files_, Path("a"), "x").ok());
  ASSERT_EQ(chmod(Path("a").c_str(), 0), 0);
  // Root reads everything, so that as root the test becomes nobody for a moment.
  const bool root = geteuid() == 0;
  if (root) {
    ASSERT_EQ(seteuid(65534), 0);
  }
  const base::Status status = files_.Map(Path("a")).status();
  if (root) {
    ASSERT_EQ(seteuid(0), 0);
  }
  EXPECT_EQ(status.code(), base::StatusCode::kPermissionDenied) << status;
  EXPECT_THAT(status.message(), HasSubstr("a: cannot open: Permission denied"));
}

TEST_F(FileTest, NothingIsSeenBeforeCommitNorLeftWithoutIt) {
  ASSERT_TRUE(WriteFile(files_, Path("a"), "old").ok());
  {
    const auto pending = files_.Create(Path("a"));
    ASSERT_TRUE(pending.ok());
    ASSERT_TRUE((*pending)->Append(std::as_bytes(std::span("new", 3))).ok());
    EXPECT_EQ(*files_.Read(Path("a"), 10), "old");
  }
  EXPECT_THAT(Names(), ElementsAre("a"));
  EXPECT_EQ(*files_.Read(Path("a"), 10), "old");
}

// The file size limit makes write(2) itself fail, through the very code that a full disk goes
// through.
TEST_F(FileTest, FailedWritesLeaveNothing) {
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const base::Status status = WriteFile(files_, Path("a"), std::string(5000, 'x'));
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(status.code(), base::StatusCode::kOutOfResource) << status;
  EXPECT_THAT(status.message(), HasSubstr("a: cannot write: File too large"));
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(FileTest, MoveReplacesNothing) {
  ASSERT_TRUE(WriteFile(files_, Path("a"), "1").ok());
  ASSERT_TRUE(WriteFile(files_, Path("b"), "2").ok());
  EXPECT_EQ(files_.Move(Path("a"), Path("b")).code(), base::StatusCode::kAlreadyExists);
  EXPECT_EQ(*files_.Read(Path("b"), 10), "2");
  EXPECT_TRUE(files_.Move(Path("a"), Path("c")).ok());
  EXPECT_THAT(Names(), ElementsAre("b", "c"));
}

TEST_F(FileTest, Directories) {
  EXPECT_TRUE(files_.MakeDirectory(Path("d")).ok());
  EXPECT_TRUE(files_.MakeDirectory(Path("d")).ok()) << "fine where it already is one";
  EXPECT_TRUE(files_.IsDirectory(Path("d")));
  ASSERT_TRUE(WriteFile(files_, Path("f"), "").ok());
  EXPECT_FALSE(files_.MakeDirectory(Path("f")).ok());
  EXPECT_FALSE(files_.MakeDirectory(Path("no/such")).ok());
  EXPECT_FALSE(files_.List(Path("no")).ok());
  const auto one = files_.MakeTemporaryDirectory(Path("t"));
  const auto two = files_.MakeTemporaryDirectory(Path("t"));
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(*one, *two);
  EXPECT_TRUE(files_.RemoveTree(*one).ok());
  EXPECT_FALSE(files_.IsDirectory(*one));
  EXPECT_FALSE(files_.MakeTemporaryDirectory(Path("no/t")).ok());
}

TEST_F(FileTest, EveryFaultOfMakingDirectoriesIsAnError) {
  int faults = 0;
  for (int fail_at = 0;; ++fail_at) {
    FaultyFiles faulty(files_, fail_at);
    const base::Status status = MakeDirectories(faulty, Path("a/b/c"));
    if (faulty.operations() <= fail_at) {
      EXPECT_TRUE(status.ok()) << status;
      break;
    }
    ++faults;
    EXPECT_EQ(status.code(), base::StatusCode::kOutOfResource) << fail_at;
    EXPECT_FALSE(files_.IsDirectory(Path("a/b/c"))) << fail_at;
    ASSERT_TRUE(files_.RemoveTree(Path("a")).ok());
  }
  EXPECT_EQ(faults, 3) << "one a directory; those that are there need no operation";
}

TEST_F(FileTest, EveryFaultOfAWriteIsAnErrorAndLeavesNothing) {
  int faults = 0;
  for (int fail_at = 0;; ++fail_at) {
    FaultyFiles faulty(files_, fail_at);
    const base::Status status = WriteFile(faulty, Path("a"), "content");
    if (faulty.operations() <= fail_at) {
      EXPECT_TRUE(status.ok()) << status;
      break;
    }
    ++faults;
    EXPECT_EQ(status.code(), base::StatusCode::kOutOfResource) << fail_at;
    EXPECT_THAT(Names(), IsEmpty()) << fail_at;
  }
  EXPECT_EQ(faults, 3) << "create, append, commit";
}

TEST(JoinPath, PutsOneSlashBetween) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
}

TEST_F(FileTest, MovesWithoutReplacingWhereTheFileSystemCannotPromiseIt) {
  for (const bool without : {false, true}) {
    g_without_noreplace = without;
    ASSERT_TRUE(WriteFile(files_, Path("from"), "new").ok());
    ASSERT_TRUE(WriteFile(files_, Path("to"), "old").ok());
    EXPECT_THAT(files_.Move(Path("from"), Path("to")).message(), HasSubstr("File exists"));
    EXPECT_EQ(*files_.Read(Path("to"), 10), "old");
    EXPECT_TRUE(files_.Move(Path("from"), Path("free")).ok()) << without;
    EXPECT_EQ(*files_.Read(Path("free"), 10), "new");
    ASSERT_TRUE(files_.RemoveTree(Path("free")).ok());
  }
  g_without_noreplace = false;
}

TEST(RealFileSystem, MakesTheDirectoriesAboveToo) {
  const std::string top = *RealFileSystem().MakeTemporaryDirectory(testing::TempDir() + "above");
  for (const char* name : {"a/b/c", "a/b/c", "a/d/", "a//e"}) {
    EXPECT_TRUE(MakeDirectories(RealFileSystem(), JoinPath(top, name)).ok()) << name;
    EXPECT_TRUE(RealFileSystem().IsDirectory(JoinPath(top, name))) << name;
  }
  ASSERT_TRUE(WriteFile(RealFileSystem(), JoinPath(top, "file"), "").ok());
  EXPECT_THAT(MakeDirectories(RealFileSystem(), JoinPath(top, "file/a")).message(),
              testing::HasSubstr("file: cannot create the directory"));
  ASSERT_TRUE(RealFileSystem().RemoveTree(top).ok());
}

TEST(RealFileSystem, WritesNothingInPlaceOfADeviceOrAPipe) {
  const std::string directory =
      *RealFileSystem().MakeTemporaryDirectory(testing::TempDir() + "place");
  const std::string pipe = JoinPath(directory, "pipe"), file = JoinPath(directory, "file");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(WriteFile(RealFileSystem(), pipe, "x").message(), testing::HasSubstr("pipe"));
  struct stat info {};
  EXPECT_TRUE(stat(pipe.c_str(), &info) == 0 && S_ISFIFO(info.st_mode)) << "it is still there";
  EXPECT_THAT(WriteFile(RealFileSystem(), "/dev/null", "x").message(),
              testing::HasSubstr("device"));
  EXPECT_THAT(WriteFile(RealFileSystem(), directory, "x").message(),
              testing::HasSubstr("is a directory"));
  // A link stays one.
  const std::string link = JoinPath(directory, "link"), nowhere = JoinPath(directory, "nowhere");
  ASSERT_TRUE(WriteFile(RealFileSystem(), file, "old").ok());
  ASSERT_EQ(symlink("file", link.c_str()), 0);
  ASSERT_TRUE(WriteFile(RealFileSystem(), link, "new").ok());
  EXPECT_EQ(*RealFileSystem().Read(file, 10), "new");
  EXPECT_TRUE(lstat(link.c_str(), &info) == 0 && S_ISLNK(info.st_mode));
  ASSERT_EQ(symlink("missing", nowhere.c_str()), 0);
  EXPECT_THAT(WriteFile(RealFileSystem(), nowhere, "x").message(), testing::HasSubstr("nowhere"));
  EXPECT_TRUE(IsSame(link, file));
  EXPECT_FALSE(IsSame(pipe, file));
  EXPECT_FALSE(IsSame(nowhere, nowhere));
  ASSERT_TRUE(RealFileSystem().RemoveTree(directory).ok());
}

}  // namespace
}  // namespace hone::env
