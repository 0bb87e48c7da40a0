// A FileSystem that passes everything on to another one until a chosen operation fails: what a test
// of writers holds them to. Run the writer once for each operation that it makes:
//
//   for (int fail_at = 0;; ++fail_at) {
//     env::FaultyFiles files(env::RealFileSystem(), fail_at);
//     const base::Status status = WriteSomething(files, path);
//     if (files.operations() <= fail_at) break;   // it ran through, nothing failed
//     EXPECT: the status is not OK, and nothing is left behind
//   }
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "env/file.h"

namespace hone::env {

class FaultyFiles : public FileSystem {
 public:
  // The operation number `fail_at` (from 0), of those that create, write, commit or rename, fails
  // as a full disk does, and so do all after it that need space. RemoveTree never fails.
  FaultyFiles(FileSystem& real, int fail_at);

  int operations() const { return operations_; }

  base::StatusOr<std::shared_ptr<const MappedFile>> Map(const std::string& path) override;
  base::StatusOr<std::string> Read(const std::string& path, std::uint64_t limit) override;
  base::StatusOr<std::unique_ptr<PendingFile>> Create(const std::string& path) override;
  bool IsFile(const std::string& path) override;
  bool IsDirectory(const std::string& path) override;
  base::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  base::Status MakeDirectory(const std::string& path) override;
  base::StatusOr<std::string> MakeTemporaryDirectory(const std::string& prefix) override;
  base::Status Move(const std::string& from, const std::string& to) override;
  base::Status RemoveTree(const std::string& path) override;

 private:
  friend class FaultyPendingFile;
  base::Status Step(const std::string& path);  // counts an operation; an error from fail_at on

  FileSystem& real_;
  int fail_at_;
  int operations_ = 0;
};

}  // namespace hone::env
