#include "env/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "env/temporaries.h"

namespace hone::env {
namespace {

base::Status SystemError(const std::string& path, std::string_view action, int error) {
  const std::string message =
      base::StrCat(path, ": cannot ", action, ": ", std::generic_category().message(error));
  switch (error) {
    case ENOENT: return base::NotFound(message);
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENOMEM:
    case EFBIG: return base::OutOfResource(message);
    case EACCES:
    case EPERM: return base::Status(base::StatusCode::kPermissionDenied, message);
    case EEXIST: return base::AlreadyExists(message);
    default: return base::Unavailable(message);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Opens a regular file and tells its size. O_NONBLOCK: a pipe without a writer must not hang us.
base::StatusOr<std::uint64_t> OpenedSize(const std::string& path, int fd) {
  if (fd < 0) return SystemError(path, "open", errno);
  struct stat info {};
  if (fstat(fd, &info) != 0) return SystemError(path, "stat", errno);
  if (S_ISDIR(info.st_mode)) return base::BadInput(path, ": is a directory, expected a file");
  if (!S_ISREG(info.st_mode)) return base::BadInput(path, ": is not a regular file");
  return static_cast<std::uint64_t>(info.st_size);
}

// A rename survives a power cut only once its directory is synced.
void SyncParent(const std::string& path) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  const Descriptor parent(
      open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0) fsync(parent.get());
}

// Where a file of that name is to be renamed to. Renaming replaces whatever is there: a link stays, and what it
// leads to is replaced; a device, a pipe or a directory is not what anybody meant.
base::StatusOr<std::string> PlaceOf(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return path;  // nothing there, or Create says what is wrong
  std::string place = path;
  if (S_ISLNK(info.st_mode)) {
    std::error_code error;
    place = std::filesystem::canonical(path, error).string();
    if (error || stat(place.c_str(), &info) != 0) {
      return base::BadInput(path, ": is a link that leads nowhere, expected a file's name");
    }
  }
  if (S_ISDIR(info.st_mode)) return base::BadInput(path, ": is a directory, expected a file");
  if (!S_ISREG(info.st_mode)) {
    return base::BadInput(path, ": is a device or pipe, expected a file's name");
  }
  return place;
}

// What this process's user keeps from others. To be read it must be set, so it is read once.
mode_t Mask() {
  static const mode_t mask = [] {
    const mode_t now = umask(0077);
    umask(now);
    return now;
  }();
  return mask;
}

constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

class RealMappedFile : public MappedFile {
 public:
  RealMappedFile(void* address, std::size_t size) : address_(address), size_(size) {}
  ~RealMappedFile() override {
    if (size_ != 0) munmap(address_, size_);
  }
  std::span<const std::byte> bytes() const override {
    return {static_cast<const std::byte*>(address_), size_};
  }
  void DropPages(const std::byte* begin, std::size_t size) const override {
    // Only pages that lie wholly inside: their neighbours may still be in use.
    const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    const auto first = (reinterpret_cast<std::uintptr_t>(begin) + page - 1) / page * page;
    const auto last = (reinterpret_cast<std::uintptr_t>(begin) + size) / page * page;
    if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
  }

 private:
  void* address_;
  std::size_t size_;
};

class RealPendingFile : public PendingFile {
 public:
  RealPendingFile(std::string path, std::string temporary, int fd)
      : path_(std::move(path)), temporary_(std::move(temporary)), known_(temporary_), fd_(fd) {}
  ~RealPendingFile() override {
    if (!committed_) unlink(temporary_.c_str());
  }

  base::Status Append(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return SystemError(path_, "write", errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return base::OkStatus();
  }

  base::Status Commit() override {
    if (fsync(fd_.get()) != 0) return SystemError(path_, "fsync", errno);
    if (rename(temporary_.c_str(), path_.c_str()) != 0) {
      return SystemError(path_, "rename into place", errno);
    }
    committed_ = true;
    SyncParent(path_);
    return base::OkStatus();
  }

 private:
  std::string path_;
  std::string temporary_;
  const Temporary known_;
  Descriptor fd_;
  bool committed_ = false;
};

class PosixFileSystem : public FileSystem {
 public:
  base::StatusOr<std::shared_ptr<const MappedFile>> Map(const std::string& path) override {
    const Descriptor fd(open(path.c_str(), kReadFlags));
    HONE_ASSIGN_OR_RETURN(const std::uint64_t size, OpenedSize(path, fd.get()));
    if (size == 0) return std::make_shared<const RealMappedFile>(nullptr, 0);
    void* address = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (address == MAP_FAILED) return SystemError(path, "map", errno);
    return std::make_shared<const RealMappedFile>(address, size);
  }

  base::StatusOr<std::string> Read(const std::string& path, std::uint64_t limit) override {
    const Descriptor fd(open(path.c_str(), kReadFlags));
    HONE_ASSIGN_OR_RETURN(const std::uint64_t size, OpenedSize(path, fd.get()));
    if (size > limit) {
      return base::BadInput(path, ": has ", size, " bytes; the limit for this kind of file is ",
                            limit);
    }
    std::string bytes(size, '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t got = read(fd.get(), bytes.data() + done, bytes.size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return SystemError(path, "read", errno);
      if (got == 0) break;  // it shrank meanwhile
      done += static_cast<std::size_t>(got);
    }
    bytes.resize(done);
    return bytes;
  }

  base::StatusOr<std::unique_ptr<PendingFile>> Create(const std::string& path) override {
    HONE_ASSIGN_OR_RETURN(const std::string place, PlaceOf(path));
    std::string temporary = place + ".partial.XXXXXX";
    const int fd = mkostemp(temporary.data(), O_CLOEXEC);
    if (fd < 0) return SystemError(path, "create", errno);
    fchmod(fd, 0666 & ~Mask());  // mkostemp keeps others out
    return std::make_unique<RealPendingFile>(place, temporary, fd);
  }

  bool IsFile(const std::string& path) override {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
  }

  bool IsDirectory(const std::string& path) override {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  }

  base::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
         it.increment(error)) {
      names.push_back(it->path().filename().string());
    }
    if (error) return SystemError(path, "list", error.value());
    std::ranges::sort(names);
    return names;
  }

  base::Status MakeDirectory(const std::string& path) override {
    if (mkdir(path.c_str(), 0755) == 0 || (errno == EEXIST && IsDirectory(path))) {
      return base::OkStatus();
    }
    return SystemError(path, "create the directory", errno);
  }

  base::StatusOr<std::string> MakeTemporaryDirectory(const std::string& prefix) override {
    std::string path = prefix + ".XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      return SystemError(prefix, "create a directory beside it", errno);
    }
    // mkdtemp keeps others out; what is made in it is to be read like any directory.
    chmod(path.c_str(), 0777 & ~Mask());
    return path;
  }

  base::Status Move(const std::string& from, const std::string& to) override {
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0) {
      // NFS and others cannot refuse an existing name at once: then look, and rename. Between the
      // two another program could still make it: a file or an empty directory would be replaced.
      const bool cannot = errno == EINVAL || errno == ENOSYS;
      if (!cannot) return SystemError(to, "rename into place", errno);
      struct stat info {};
      if (lstat(to.c_str(), &info) == 0) return SystemError(to, "rename into place", EEXIST);
      if (rename(from.c_str(), to.c_str()) != 0) {
        return SystemError(to, "rename into place", errno);
      }
    }
    SyncParent(to);
    return base::OkStatus();
  }

  base::Status RemoveTree(const std::string& path) override {
    std::error_code error;
    std::filesystem::remove_all(path, error);
    return error ? SystemError(path, "remove", error.value()) : base::OkStatus();
  }
};

}  // namespace

FileSystem& RealFileSystem() {
  static PosixFileSystem file_system;
  return file_system;
}

base::Status WriteFile(FileSystem& files, const std::string& path, std::string_view bytes) {
  HONE_ASSIGN_OR_RETURN(const std::unique_ptr<PendingFile> file, files.Create(path));
  HONE_RETURN_IF_ERROR(file->Append(std::as_bytes(std::span(bytes))));
  return file->Commit();
}

base::Status MakeDirectories(FileSystem& files, const std::string& path) {
  for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (!files.IsDirectory(part)) HONE_RETURN_IF_ERROR(files.MakeDirectory(part));
    if (end == std::string::npos) return base::OkStatus();
  }
}

bool IsSame(const std::string& path, const std::string& other) {
  std::error_code error;
  return std::filesystem::equivalent(path, other, error) && !error;
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  if (directory.empty()) return std::string(name);
  return base::StrCat(directory, directory.back() == '/' ? "" : "/", name);
}

}  // namespace hone::env
