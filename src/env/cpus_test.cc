#include "env/cpus.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstring>
#include <thread>
#include <vector>

namespace hone::env {
namespace {

TEST(Cpus, AreWithinTheAffinityMask) {
  cpu_set_t set;
  CPU_ZERO(&set);
  ASSERT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  EXPECT_GE(UsableCpus(), 1);
  EXPECT_LE(UsableCpus(), CPU_COUNT(&set));
}

// In a thread of its own, whose mask nobody else shares.
TEST(Cpus, FollowANarrowedAffinity) {
  int usable = 0;
  std::thread([&] {
    cpu_set_t all, one;
    CPU_ZERO(&all);
    CPU_ZERO(&one);
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all)) ++cpu;
    CPU_SET(cpu, &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    usable = UsableCpus();
  }).join();
  EXPECT_EQ(usable, 1);
}

TEST(Cpus, AQuotaNeverGivesMoreThanTheMask) {
  EXPECT_GE(AffinityCpus(), 1);
  EXPECT_LE(UsableCpus(), AffinityCpus());
}

TEST(Memory, ResidentBytesGrowWithWhatIsTouched) {
  const std::uint64_t before = ResidentBytes();
  ASSERT_GT(before, 0u);
  constexpr std::size_t kBytes = 64 << 20;
  std::vector<char> touched(kBytes, 1);
  EXPECT_GE(ResidentBytes(), before + kBytes / 2);
  EXPECT_GE(PeakResidentBytes(), ResidentBytes() / 2);
  EXPECT_EQ(touched.back(), 1);
}

}  // namespace
}  // namespace hone::env
