#include "env/space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "env/cgroup.h"
#include "env/system_text.h"

namespace hone::env {
namespace {

constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

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
  const double left = CgroupBytesLeft(ReadSystemText("/proc/self/cgroup"), ReadSystemText);
  return left < static_cast<double>(available) ? static_cast<std::uint64_t>(left) : available;
}

}  // namespace hone::env
