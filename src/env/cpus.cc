#include "env/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

namespace hone::env {
namespace {

int AffinityCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

// "max 100000" or "150000 100000" (v2); quota and period in files of their own (v1). Infinity: no
// limit.
double QuotaV2(const std::string& directory) {
  std::ifstream file(directory + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return INFINITY;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double QuotaV1(const std::string& directory) {
  double quota = -1, period = 0;
  std::ifstream(directory + "/cpu.cfs_quota_us") >> quota;
  std::ifstream(directory + "/cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? quota / period : INFINITY;
}

// The smallest quota from `group` up to the root of the hierarchy mounted at `mount`.
double SmallestQuota(const std::string& mount, std::string group,
                     double (*quota)(const std::string&)) {
  double smallest = quota(mount);
  while (group.size() > 1) {
    smallest = std::min(smallest, quota(mount + group));
    group.resize(group.find_last_of('/'));
  }
  return smallest;
}

double CgroupCpus() {
  double cpus = INFINITY;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    // "4:cpu,cpuacct:/path" (v1) or "0::/path" (v2)
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      cpus = std::min(cpus, SmallestQuota("/sys/fs/cgroup", path, QuotaV2));
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      cpus = std::min(cpus, SmallestQuota("/sys/fs/cgroup/" + controllers, path, QuotaV1));
      cpus = std::min(cpus, SmallestQuota("/sys/fs/cgroup/cpu", path, QuotaV1));
    }
  }
  return cpus;
}

std::uint64_t StatusBytes(std::string_view field) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(field)) {
      return std::strtoull(line.c_str() + field.size(), nullptr, 10) * 1024;
    }
  }
  return 0;
}

}  // namespace

int UsableCpus() {
  const double quota = std::ceil(CgroupCpus());
  const int affinity = AffinityCpus();
  return std::max(1, quota < affinity ? static_cast<int>(quota) : affinity);
}

std::uint64_t PeakResidentBytes() {
  return StatusBytes("VmHWM:");
}
std::uint64_t ResidentBytes() {
  return StatusBytes("VmRSS:");
}

}  // namespace hone::env
