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

}  // namespace
}  // namespace hone::env
