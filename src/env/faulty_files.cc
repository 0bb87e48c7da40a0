#include "env/faulty_files.h"

namespace hone::env {

class FaultyPendingFile : public PendingFile {
 public:
  FaultyPendingFile(FaultyFiles* files, std::string path, std::unique_ptr<PendingFile> real)
      : files_(*files), path_(std::move(path)), real_(std::move(real)) {}

  base::Status Append(std::span<const std::byte> bytes) override {
    const base::Status status = files_.Step(path_);
    // A full disk takes the first part of what it is given.
    if (!status.ok()) real_->Append(bytes.first(bytes.size() / 2)).IgnoreError();
    HONE_RETURN_IF_ERROR(status);
    return real_->Append(bytes);
  }
  base::Status Commit() override {
    HONE_RETURN_IF_ERROR(files_.Step(path_));
    return real_->Commit();
  }

 private:
  FaultyFiles& files_;
  std::string path_;
  std::unique_ptr<PendingFile> real_;
};

FaultyFiles::FaultyFiles(FileSystem& real, int fail_at) : real_(real), fail_at_(fail_at) {}

base::Status FaultyFiles::Step(const std::string& path) {
  if (operations_++ < fail_at_) return base::OkStatus();
  return base::OutOfResource(path, ": cannot write: No space left on device");
}

base::StatusOr<std::shared_ptr<const MappedFile>> FaultyFiles::Map(const std::string& path) {
  return real_.Map(path);
}

base::StatusOr<std::string> FaultyFiles::Read(const std::string& path, std::uint64_t limit) {
  return real_.Read(path, limit);
}

base::StatusOr<std::unique_ptr<PendingFile>> FaultyFiles::Create(const std::string& path) {
  HONE_RETURN_IF_ERROR(Step(path));
  HONE_ASSIGN_OR_RETURN(std::unique_ptr<PendingFile> real, real_.Create(path));
  return std::make_unique<FaultyPendingFile>(this, path, std::move(real));
}

bool FaultyFiles::IsFile(const std::string& path) {
  return real_.IsFile(path);
}
bool FaultyFiles::IsDirectory(const std::string& path) {
  return real_.IsDirectory(path);
}

base::StatusOr<std::vector<std::string>> FaultyFiles::List(const std::string& path) {
  return real_.List(path);
}

base::Status FaultyFiles::MakeDirectory(const std::string& path) {
  HONE_RETURN_IF_ERROR(Step(path));
  return real_.MakeDirectory(path);
}

base::StatusOr<std::string> FaultyFiles::MakeTemporaryDirectory(const std::string& prefix) {
  HONE_RETURN_IF_ERROR(Step(prefix));
  return real_.MakeTemporaryDirectory(prefix);
}

base::Status FaultyFiles::Move(const std::string& from, const std::string& to) {
  // Only the one that was chosen: a later rename that puts things back needs no space.
  if (operations_++ == fail_at_) {
    return base::OutOfResource(to, ": cannot rename into place: No space left on device");
  }
  return real_.Move(from, to);
}

base::Status FaultyFiles::RemoveTree(const std::string& path) {
  return real_.RemoveTree(path);
}

}  // namespace hone::env
