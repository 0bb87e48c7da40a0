#include "env/space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

namespace hone::env {
namespace {

constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

// The number in a file that holds only one ("max", or no file: unknown).
std::uint64_t NumberIn(const std::string& path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? number : kUnknown;
}

std::uint64_t CgroupLeft() {
  // As a container sees its own group: version 2, then version 1.
  const std::uint64_t most = std::min(NumberIn("/sys/fs/cgroup/memory.max"),
                                      NumberIn("/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  const std::uint64_t used = std::min(NumberIn("/sys/fs/cgroup/memory.current"),
                                      NumberIn("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
  if (most == kUnknown || used == kUnknown) return kUnknown;
  // What the page cache holds counts as used there but is given up when asked for.
  std::uint64_t cached = 0;
  for (const char* path : {"/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat"}) {
    std::ifstream file(path);
    std::string name;
    for (std::uint64_t value = 0; file >> name >> value;) {
      if (name == "inactive_file" || name == "active_file") cached += value;
    }
    if (cached > 0) break;
  }
  return most > used - std::min(used, cached) ? most - (used - std::min(used, cached)) : 0;
}

}  // namespace

std::uint64_t FreeDiskBytes(const std::string& path) {
  std::string at = path.empty() ? "." : path;
  for (;;) {
    struct statvfs status;
    if (statvfs(at.c_str(), &status) == 0) {
      return std::uint64_t{status.f_bavail} * status.f_frsize;
    }
    const std::size_t slash = at.find_last_of('/');
    if (slash == std::string::npos) {
      if (at == ".") return kUnknown;
      at = ".";
    } else {
      at = slash == 0 ? "/" : at.substr(0, slash);
    }
  }
}

std::uint64_t AvailableMemoryBytes() {
  std::uint64_t available = kUnknown;
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("MemAvailable:")) continue;
    available = std::stoull("0" + line.substr(line.find_first_of("0123456789"))) * 1024;
  }
  return std::min(available, CgroupLeft());
}

}  // namespace hone::env
