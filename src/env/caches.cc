#include "env/caches.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "env/system_text.h"

namespace hone::env {
namespace {

constexpr int kMostCaches = 8;  // of one processor that are looked at
constexpr std::uint64_t kMostKiB = std::uint64_t{1} << 30;

// "2048K", as the kernel prints every size.
std::uint64_t SizeOf(const std::string& text) {
  char* end = nullptr;
  const std::uint64_t kib = std::strtoull(text.c_str(), &end, 10);
  return *end == 'K' && kib <= kMostKiB ? kib * 1024 : 0;
}

// Processors of a list: "0-3,8-11" has eight. At least 1.
std::uint64_t CountOf(const std::string& list) {
  std::uint64_t count = 0;
  std::istringstream ranges(list);
  for (std::string range; std::getline(ranges, range, ',');) {
    const std::size_t dash = range.find('-');
    const long first = std::strtol(range.c_str(), nullptr, 10);
    const long last =
        dash == std::string::npos ? first : std::strtol(range.c_str() + dash + 1, nullptr, 10);
    if (last >= first) count += static_cast<std::uint64_t>(last - first) + 1;
  }
  return std::max<std::uint64_t>(count, 1);
}

}  // namespace

Caches ReadCaches(const std::function<std::string(const std::string&)>& read) {
  Caches caches;
  for (int i = 0; i < kMostCaches; ++i) {
    const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    if (read(folder + "type").starts_with("Instruction")) continue;
    const int level = std::atoi(read(folder + "level").c_str());
    const std::uint64_t bytes = SizeOf(read(folder + "size"));
    if (level == 2) {
      caches.own_bytes = bytes / CountOf(read(folder + "shared_cpu_list"));
    } else if (level > 2) {
      caches.last_bytes = std::max(caches.last_bytes, bytes);
    }
  }
  return caches;
}

const Caches& MachineCaches() {
  static const Caches caches = ReadCaches(ReadSystemText);
  return caches;
}

}  // namespace hone::env
