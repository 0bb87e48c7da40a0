#include "base/isa.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace hone::base {
namespace {

struct Level {
  Isa isa;
  std::string_view name;
};

constexpr std::array kLevels = {
    Level{Isa::kPortable, "portable"},     Level{Isa::kAvx2, "avx2"},
    Level{Isa::kAvxVnni, "avxvnni"},       Level{Isa::kAvx512, "avx512"},
    Level{Isa::kAvx512Bf16, "avx512bf16"}, Level{Isa::kNeon, "neon"},
    Level{Isa::kNeonDot, "neondot"},       Level{Isa::kNeonI8mm, "neoni8mm"},
};

bool IsArm(Isa isa) {
  return isa >= Isa::kNeon;
}

#if defined(__x86_64__)

// One bit of CPUID, for features that a supported compiler's builtins have no name for.
bool CpuidBit(unsigned leaf, unsigned subleaf, char reg, int bit) {
  unsigned a = leaf, b = 0, c = subleaf, d = 0;
  __asm__("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
  return ((reg == 'a' ? a : c) >> bit & 1) != 0;
}

bool Runs(Isa isa) {
  // The builtins check the operating system's XSAVE state as well as CPUID.
  switch (isa) {
    case Isa::kPortable: return true;
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             CpuidBit(1, 0, 'c', 29) /* F16C: Clang 14 has no name */;
    case Isa::kAvxVnni: return Runs(Isa::kAvx2) && CpuidBit(7, 1, 'a', 4);  // GCC 12 has no name
    case Isa::kAvx512:
      return Runs(Isa::kAvx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    case Isa::kAvx512Bf16: return Runs(Isa::kAvx512) && __builtin_cpu_supports("avx512bf16");
    default: return false;
  }
}

#elif defined(__aarch64__)

bool Runs(Isa isa) {
  const unsigned long caps = getauxval(AT_HWCAP);
  const unsigned long caps2 = getauxval(AT_HWCAP2);
  switch (isa) {
    case Isa::kPortable: return true;
    case Isa::kNeon: return (caps & HWCAP_ASIMD) != 0;
    case Isa::kNeonDot: return Runs(Isa::kNeon) && (caps & HWCAP_ASIMDDP) != 0;
    case Isa::kNeonI8mm:
      return Runs(Isa::kNeonDot) && (caps2 & HWCAP2_I8MM) != 0 && (caps2 & HWCAP2_BF16) != 0;
    default: return false;
  }
}

#else

bool Runs(Isa isa) {
  return isa == Isa::kPortable;
}

#endif

std::vector<Isa> FindSupported() {
  std::vector<Isa> found;
  for (const Level& level : kLevels) {
    if (Runs(level.isa)) found.push_back(level.isa);
  }
  return found;
}

}  // namespace

std::string_view IsaName(Isa isa) {
  return std::find_if(kLevels.begin(), kLevels.end(),
                      [&](const Level& level) { return level.isa == isa; })
      ->name;
}

StatusOr<Isa> ParseIsa(std::string_view name) {
  std::string known;
  for (const Level& level : kLevels) {
    if (level.name == name) return level.isa;
    StrAppend(&known, known.empty() ? "" : ", ", level.name);
  }
  return BadInput("unknown instruction set \"", name, "\"; known are ", known);
}

bool IsaUsable(Isa limit, Isa level) {
  if (level == Isa::kPortable) return true;
  return IsArm(limit) == IsArm(level) && level <= limit &&
         std::ranges::find(SupportedIsas(), level) != SupportedIsas().end();
}

std::span<const Isa> SupportedIsas() {
  static const std::vector<Isa> supported = FindSupported();
  return supported;
}

bool FastBf16Dots() {
#if defined(__x86_64__)
  return Runs(Isa::kAvx512Bf16) && __builtin_cpu_is("amd");
#else
  return false;
#endif
}

Isa DetectIsa() {
  return SupportedIsas().back();
}

}  // namespace hone::base
