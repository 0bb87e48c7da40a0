#include "env/cgroup.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

namespace hone::env {
namespace {

double Limit(std::string_view groups, const std::map<std::string, std::string>& files) {
  return CgroupCpuLimit(groups, [&](const std::string& path) {
    const auto found = files.find(path);
    return found == files.end() ? std::string() : found->second;
  });
}

TEST(Cgroup, VersionTwoTakesTheSmallestQuotaUpToTheRoot) {
  const std::string group = "0::/user.slice/app.service\n";
  EXPECT_EQ(Limit(group, {{"/sys/fs/cgroup/user.slice/app.service/cpu.max", "150000 100000\n"}}),
            1.5);
  EXPECT_EQ(Limit(group, {{"/sys/fs/cgroup/user.slice/app.service/cpu.max", "max 100000\n"},
                          {"/sys/fs/cgroup/user.slice/cpu.max", "200000 100000\n"}}),
            2.0)
      << "an ancestor's limit holds for its descendants";
  EXPECT_EQ(Limit(group, {{"/sys/fs/cgroup/user.slice/app.service/cpu.max", "400000 100000\n"},
                          {"/sys/fs/cgroup/cpu.max", "100000 100000\n"}}),
            1.0);
  EXPECT_EQ(Limit(group, {{"/sys/fs/cgroup/user.slice/app.service/cpu.max", "max 100000\n"}}),
            INFINITY);
}

TEST(Cgroup, ContainerSeesItsOwnGroupAsTheRoot) {
  EXPECT_EQ(Limit("0::/\n", {{"/sys/fs/cgroup/cpu.max", "50000 100000\n"}}), 0.5);
  // Without a namespace of its own the path is the host's, and is not below the mount.
  EXPECT_EQ(Limit("0::/docker/4711\n", {{"/sys/fs/cgroup/cpu.max", "300000 100000\n"}}), 3.0);
}

TEST(Cgroup, VersionOneReadsQuotaAndPeriodOfTheCpuController) {
  const std::string groups = "12:cpuset:/a\n4:cpu,cpuacct:/a/b\n1:name=systemd:/a\n";
  const std::string path = "/sys/fs/cgroup/cpu,cpuacct/a/b";
  EXPECT_EQ(Limit(groups, {{path + "/cpu.cfs_quota_us", "250000\n"},
                           {path + "/cpu.cfs_period_us", "100000\n"}}),
            2.5);
  EXPECT_EQ(Limit(groups, {{"/sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "100000\n"},
                           {"/sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "50000\n"}}),
            2.0);
  EXPECT_EQ(Limit(groups, {{path + "/cpu.cfs_quota_us", "-1\n"},
                           {path + "/cpu.cfs_period_us", "100000\n"}}),
            INFINITY);
  EXPECT_EQ(Limit("12:cpuset:/a\n", {{"/sys/fs/cgroup/cpuset/a/cpu.cfs_quota_us", "1"},
                                     {"/sys/fs/cgroup/cpuset/a/cpu.cfs_period_us", "1"}}),
            INFINITY)
      << "cpuset is not cpu";
}

TEST(Cgroup, DamagedTextIsNoLimit) {
  for (const char* groups : {"", "\n", ":", "::", "0:", "0::", "0::relative/path", "nonsense"}) {
    EXPECT_EQ(Limit(groups, {}), INFINITY) << groups;
  }
  for (const char* quota : {"", "max", "150000", "0 100000", "150000 0", "-5 100000", "x y",
                            "nan 100000", "inf 100000", "150000 nan"}) {
    EXPECT_EQ(Limit("0::/\n", {{"/sys/fs/cgroup/cpu.max", quota}}), INFINITY) << quota;
  }
}

TEST(Cgroup, MemoryIsTheLeastThatAnyLimitLeaves) {
  const auto left = [](std::string_view groups, const std::map<std::string, std::string>& files) {
    return CgroupBytesLeft(groups, [&](const std::string& path) {
      const auto found = files.find(path);
      return found == files.end() ? std::string() : found->second;
    });
  };
  const std::string app = "/sys/fs/cgroup/user.slice/app.service/";
  const std::string group = "0::/user.slice/app.service\n";
  EXPECT_EQ(left(group, {}), INFINITY);
  EXPECT_EQ(left(group, {{app + "memory.max", "max\n"}, {app + "memory.current", "5\n"}}),
            INFINITY);
  EXPECT_EQ(left(group, {{app + "memory.max", "1000\n"},
                         {app + "memory.current", "700\n"},
                         {app + "memory.stat", "anon 400\ninactive_file 200\nactive_file 100\n"}}),
            600)
      << "the page cache gives way";
  EXPECT_EQ(left(group, {{app + "memory.max", "1000\n"},
                         {app + "memory.current", "100\n"},
                         {"/sys/fs/cgroup/user.slice/memory.max", "500\n"},
                         {"/sys/fs/cgroup/user.slice/memory.current", "300\n"}}),
            200)
      << "an ancestor's limit holds for its descendants";
  EXPECT_EQ(left("0::/docker/4711\n", {{"/sys/fs/cgroup/memory.max", "10\n"},
                                       {"/sys/fs/cgroup/memory.current", "20\n"}}),
            0);
  EXPECT_EQ(left("5:memory:/a\n", {{"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "100\n"},
                                   {"/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "30\n"}}),
            70);
  EXPECT_EQ(left("0::/\n", {{"/sys/fs/cgroup/memory.max", "nan"}}), INFINITY);
}

}  // namespace
}  // namespace hone::env
