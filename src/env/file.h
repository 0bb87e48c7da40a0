// Files: mapped, read whole, and written so that nobody ever sees half of one.
//
// FileSystem is the seam between Hone and the disk: RealFileSystem() acts, and a test's own version
// injects faults. Every error names the path and what the system said.
// Limits  a path must be a regular file; directories, devices and pipes are refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::env {

// A whole file, read-only, for as long as this lives. An empty file maps to no bytes.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual std::span<const std::byte> bytes() const = 0;
  // Says that [begin, begin+size) has been read and will hardly be read again: its pages stop
  // counting as this process's memory and come back from the page cache if touched after all.
  virtual void DropPages(const std::byte* begin, std::size_t size) const = 0;
};

// Writes a file aside and moves it into place on Commit, after fsync. Without Commit nothing is
// left.
class PendingFile {
 public:
  virtual ~PendingFile() = default;
  virtual base::Status Append(std::span<const std::byte> bytes) = 0;
  virtual base::Status Commit() = 0;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual base::StatusOr<std::shared_ptr<const MappedFile>> Map(const std::string& path) = 0;
  // Refuses more than `limit` bytes, so that a wrong path cannot fill memory.
  virtual base::StatusOr<std::string> Read(const std::string& path, std::uint64_t limit) = 0;
  // Replaces a file (what a link leads to); refuses a directory, device or pipe.
  virtual base::StatusOr<std::unique_ptr<PendingFile>> Create(const std::string& path) = 0;
  virtual bool IsFile(const std::string& path) = 0;
  virtual bool IsDirectory(const std::string& path) = 0;
  // Names (not paths) in a directory, sorted.
  virtual base::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  // Creates one directory; fine where it already is one.
  virtual base::Status MakeDirectory(const std::string& path) = 0;
  // Creates an empty directory of a fresh name beginning with `prefix`, and returns its path.
  virtual base::StatusOr<std::string> MakeTemporaryDirectory(const std::string& prefix) = 0;
  // Atomically renames, replacing nothing: fails where `to` exists.
  virtual base::Status Move(const std::string& from, const std::string& to) = 0;
  virtual base::Status RemoveTree(const std::string& path) = 0;
};

FileSystem& RealFileSystem();

// Create, Append, Commit.
base::Status WriteFile(FileSystem& files, const std::string& path, std::string_view bytes);

// The directory and those above it, where they are missing.
base::Status MakeDirectories(FileSystem& files, const std::string& path);

// Whether both paths lead to the same file or directory; false where one leads to nothing.
bool IsSame(const std::string& path, const std::string& other);

// directory + "/" + name.
std::string JoinPath(std::string_view directory, std::string_view name);

}  // namespace hone::env
