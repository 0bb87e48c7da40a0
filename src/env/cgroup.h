// What a control group may use, from the files of Linux.
//
//   groups  the text of /proc/self/cgroup: "0::/path" (v2) or "4:cpu,cpuacct:/path" (v1), a line a
//           hierarchy
//   read    gives a file's text, or "" where there is none
//
// A group that is not found under /sys/fs/cgroup (a container sees its own group as the root there)
// counts by its ancestors that are. Text that is no limit counts as none.
//
// Source  kernel documentation: admin-guide/cgroup-v2.rst ("cpu.max", "memory.max", "memory.current",
//         "memory.stat"), admin-guide/cgroup-v1/ ("memory.limit_in_bytes", "memory.usage_in_bytes")
//         and scheduler/sched-bwc.rst ("cpu.cfs_quota_us", "cpu.cfs_period_us").
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace hone::env {

// CPUs that the quotas allow, the smallest of the group's and its ancestors'; infinity: no limit.
double CgroupCpuLimit(std::string_view groups,
                      const std::function<std::string(const std::string&)>& read);

// Bytes of memory that the limits leave, the least of the group's and its ancestors'; infinity: no limit.
double CgroupBytesLeft(std::string_view groups,
                       const std::function<std::string(const std::string&)>& read);

}  // namespace hone::env
