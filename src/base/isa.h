// The instruction-set levels that Hone has kernels for, and which of them this machine runs.
//
// Levels of one family are ordered: a machine that runs a level runs every lower one of its family,
// and all run kPortable. Selection walks a kernel list and takes the best level not above the one
// asked for. `HONE_ISA=avx2` (read by the command line and the test main, nowhere else) lowers the
// level, so that one machine tests several.
#pragma once

#include <span>
#include <string_view>

#include "base/status.h"

namespace hone::base {

enum class Isa {
  kPortable,    // plain C++
  kAvx2,        // AVX2, FMA, F16C (Haswell, Zen)
  kAvxVnni,     // + 256-bit VNNI (Alder Lake, Zen 5)
  kAvx512,      // AVX-512 F, BW, DQ, VL and VNNI (Cascade Lake, Ice Lake, Zen 4)
  kAvx512Bf16,  // + BF16 dot products (Cooper Lake, Sapphire Rapids, Zen 4)
  kNeon,        // ARMv8.0 Advanced SIMD
  kNeonDot,     // + dotprod (Cortex-A55, A76, Neoverse N1)
  kNeonI8mm,    // + i8mm, bf16 (Neoverse V1, N2, Apple M2)
};

// "portable", "avx2", "avxvnni", "avx512", "avx512bf16", "neon", …
std::string_view IsaName(Isa isa);
StatusOr<Isa> ParseIsa(std::string_view name);

// True where a kernel of `level` may be used on this processor when `limit` is the best level asked
// for: the same family, not above the limit, and run by the processor (an Ice Lake runs kAvx512 but
// has no 256-bit VNNI encodings, so the order alone does not decide).
bool IsaUsable(Isa limit, Isa level);

// The best level of this processor, from CPUID or HWCAP, including what the system saves on a
// switch.
Isa DetectIsa();

// Every level this processor runs, lowest first.
std::span<const Isa> SupportedIsas();

// Whether dot products of bf16 pairs (kAvx512Bf16) multiply more in a cycle than f32's fused multiply-add
// does: twice as much on Zen 4, half as much on Sapphire Rapids (docs/benchmarks.md), so it goes by the maker.
bool FastBf16Dots();

}  // namespace hone::base
