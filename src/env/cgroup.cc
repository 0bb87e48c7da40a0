#include "env/cgroup.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace hone::env {
namespace {

using Reader = std::function<std::string(const std::string&)>;

double Quota(const std::string& quota, const std::string& period) {
  // "max" (v2), "-1" (v1) and damaged text all give no limit.
  const double q = std::strtod(quota.c_str(), nullptr);
  const double p = std::strtod(period.c_str(), nullptr);
  return std::isfinite(q) && std::isfinite(p) && q > 0 && p > 0 ? q / p : INFINITY;
}

// "max 100000" or "150000 100000".
double QuotaV2(const std::string& directory, const Reader& read) {
  std::istringstream text(read(directory + "/cpu.max"));
  std::string quota, period;
  text >> quota >> period;
  return Quota(quota, period);
}

double QuotaV1(const std::string& directory, const Reader& read) {
  return Quota(read(directory + "/cpu.cfs_quota_us"), read(directory + "/cpu.cfs_period_us"));
}

// What is left of `most` bytes; what the page cache holds counts as used there, but is given up when asked for.
double BytesLeft(const std::string& most, const std::string& used, const std::string& stat) {
  const double limit = std::strtod(most.c_str(), nullptr);  // of "max" 0
  if (!std::isfinite(limit) || limit <= 0) return INFINITY;
  double taken = std::strtod(used.c_str(), nullptr);
  std::istringstream lines(stat);
  std::string name;
  for (double bytes = 0; lines >> name >> bytes;) {
    if (name == "inactive_file" || name == "active_file") taken -= bytes;
  }
  return std::isfinite(taken) ? std::max(0.0, limit - std::max(0.0, taken)) : INFINITY;
}

double MemoryV2(const std::string& directory, const Reader& read) {
  return BytesLeft(read(directory + "/memory.max"), read(directory + "/memory.current"),
                   read(directory + "/memory.stat"));
}

double MemoryV1(const std::string& directory, const Reader& read) {
  return BytesLeft(read(directory + "/memory.limit_in_bytes"),
                   read(directory + "/memory.usage_in_bytes"), read(directory + "/memory.stat"));
}

// What a controller's files allow, the group's in one directory.
using Allowed = double (*)(const std::string& directory, const Reader& read);

// The smallest from `group` up to the root of the hierarchy mounted at `mount`.
double Smallest(const std::string& mount, std::string group, const Reader& read, Allowed allowed) {
  double smallest = allowed(mount, read);
  while (group.size() > 1 && group.front() == '/') {
    smallest = std::min(smallest, allowed(mount + group, read));
    group.resize(group.find_last_of('/'));
  }
  return smallest;
}

double SmallestOfAll(std::string_view groups, const Reader& read, const std::string& controller,
                     Allowed v2, Allowed v1) {
  double smallest = INFINITY;
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      smallest = std::min(smallest, Smallest("/sys/fs/cgroup", path, read, v2));
    } else if (("," + controllers + ",").find("," + controller + ",") != std::string::npos) {
      // Mounted under the controllers' names, with each of them as a link.
      for (const std::string& mount : {controllers, controller}) {
        smallest = std::min(smallest, Smallest("/sys/fs/cgroup/" + mount, path, read, v1));
      }
    }
  }
  return smallest;
}

}  // namespace

double CgroupCpuLimit(std::string_view groups, const Reader& read) {
  return SmallestOfAll(groups, read, "cpu", QuotaV2, QuotaV1);
}

double CgroupBytesLeft(std::string_view groups, const Reader& read) {
  return SmallestOfAll(groups, read, "memory", MemoryV2, MemoryV1);
}

}  // namespace hone::env
