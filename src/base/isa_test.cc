#include "base/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace hone::base {
namespace {

constexpr Isa kAll[] = {Isa::kPortable,   Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512,
                        Isa::kAvx512Bf16, Isa::kNeon, Isa::kNeonDot, Isa::kNeonI8mm};

bool IsArm(Isa isa) {
  return isa >= Isa::kNeon;
}

TEST(Isa, NamesRoundTrip) {
  for (const Isa isa : kAll) {
    const StatusOr<Isa> parsed = ParseIsa(IsaName(isa));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, isa);
  }
  const StatusOr<Isa> unknown = ParseIsa("avx3");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.status().message().find("portable, avx2, avxvnni"), std::string::npos);
}

TEST(Isa, PortableIsAlwaysUsable) {
  for (const Isa limit : kAll) EXPECT_TRUE(IsaUsable(limit, Isa::kPortable));
  EXPECT_EQ(SupportedIsas().front(), Isa::kPortable);
}

TEST(Isa, NothingAboveTheLimitOrOfAnotherFamilyIsUsable) {
  for (const Isa limit : kAll) {
    for (const Isa level : kAll) {
      if (level == Isa::kPortable || !IsaUsable(limit, level)) continue;
      EXPECT_LE(level, limit);
      EXPECT_EQ(IsArm(level), IsArm(limit));
      EXPECT_NE(std::ranges::find(SupportedIsas(), level), SupportedIsas().end());
    }
  }
}

TEST(Isa, TheDetectedLevelIsUsableAndTheHighest) {
  EXPECT_TRUE(IsaUsable(DetectIsa(), DetectIsa()));
  for (const Isa level : SupportedIsas()) EXPECT_LE(level, DetectIsa());
#if defined(__aarch64__)
  EXPECT_GE(DetectIsa(), Isa::kNeon);
#endif
}

// Linux tells what it found, and hides what it cannot save on a switch: another source than CPUID.
TEST(Isa, AgreesWithTheFlagsOfTheKernel) {
#if defined(__x86_64__)
  std::ifstream cpuinfo("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; flags.empty() && std::getline(cpuinfo, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream words(line.substr(line.find(':') + 1));
    for (std::string word; words >> word;) flags.insert(word);
  }
  if (flags.empty()) GTEST_SKIP() << "/proc/cpuinfo lists no flags";
  const bool avx2 = flags.contains("avx2") && flags.contains("fma") && flags.contains("f16c");
  const bool avx512 = avx2 && flags.contains("avx512f") && flags.contains("avx512bw") &&
                      flags.contains("avx512dq") && flags.contains("avx512vl") &&
                      flags.contains("avx512_vnni");
  EXPECT_EQ(IsaUsable(Isa::kAvx512Bf16, Isa::kAvx2), avx2);
  EXPECT_EQ(IsaUsable(Isa::kAvx512Bf16, Isa::kAvx512), avx512);
  // Older kernels know no name for AVX-VNNI or BF16, but never name what is not there.
  if (avx2 && flags.contains("avx_vnni")) {
    EXPECT_TRUE(IsaUsable(Isa::kAvx512Bf16, Isa::kAvxVnni));
  }
  if (avx512 && flags.contains("avx512_bf16")) {
    EXPECT_TRUE(IsaUsable(Isa::kAvx512Bf16, Isa::kAvx512Bf16));
  }
#else
  GTEST_SKIP() << "not an x86-64 processor";
#endif
}

}  // namespace
}  // namespace hone::base
