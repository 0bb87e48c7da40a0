#include "env/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "env/cgroup.h"
#include "env/system_text.h"

namespace hone::env {
namespace {

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

int AffinityCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

int UsableCpus() {
  const double quota =
      std::ceil(CgroupCpuLimit(ReadSystemText("/proc/self/cgroup"), ReadSystemText));
  const int affinity = AffinityCpus();
  return std::max(1, quota < affinity ? static_cast<int>(quota) : affinity);
}

std::string ProcessorName() {
  // x86 says "model name"; 64-bit ARM boards name the machine instead.
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name") && !line.starts_with("Model")) continue;
    const std::size_t colon = line.find(':');
    if (colon != std::string::npos && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  std::string machine = ReadSystemText("/proc/device-tree/model");
  while (!machine.empty() && (machine.back() == '\0' || machine.back() == '\n')) machine.pop_back();
  return machine.empty() ? "unknown" : machine;
}

std::uint64_t PeakResidentBytes() {
  return StatusBytes("VmHWM:");
}
std::uint64_t ResidentBytes() {
  return StatusBytes("VmRSS:");
}

}  // namespace hone::env
