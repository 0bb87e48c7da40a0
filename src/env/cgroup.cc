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

// The smallest quota from `group` up to the root of the hierarchy mounted at `mount`.
double SmallestQuota(const std::string& mount, std::string group, const Reader& read,
                     double (*quota)(const std::string&, const Reader&)) {
  double smallest = quota(mount, read);
  while (group.size() > 1 && group.front() == '/') {
    smallest = std::min(smallest, quota(mount + group, read));
    group.resize(group.find_last_of('/'));
  }
  return smallest;
}

}  // namespace

double CgroupCpuLimit(std::string_view groups, const Reader& read) {
  double cpus = INFINITY;
  std::istringstream lines{std::string(groups)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      cpus = std::min(cpus, SmallestQuota("/sys/fs/cgroup", path, read, QuotaV2));
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      // Mounted under the controllers' names, with "cpu" as a link.
      for (const std::string& mount :
           {"/sys/fs/cgroup/" + controllers, std::string("/sys/fs/cgroup/cpu")}) {
        cpus = std::min(cpus, SmallestQuota(mount, path, read, QuotaV1));
      }
    }
  }
  return cpus;
}

}  // namespace hone::env
