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

bool Runs(Isa isa) {
  // The builtins check the operating system's XSAVE state as well as CPUID.
  switch (isa) {
    case Isa::kPortable: return true;
    case Isa::kAvx2: {
      // Clang 14 has no name for F16C: CPUID leaf 1, ECX bit 29.
      unsigned a = 1, b = 0, c = 0, d = 0;
      __asm__("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && (c >> 29 & 1) != 0;
    }
    case Isa::kAvxVnni: {
      // GCC 12 has no name for it: CPUID leaf 7, sub-leaf 1, EAX bit 4.
      unsigned a = 7, b = 0, c = 1, d = 0;
      __asm__("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
      return Runs(Isa::kAvx2) && (a >> 4 & 1) != 0;
    }
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

Isa DetectIsa() {
  return SupportedIsas().back();
}

}  // namespace hone::base
