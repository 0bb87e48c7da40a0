// x86 intrinsics for the kernels: the real ones, or with HONE_SIMDE (test builds) SIMDe's emulation
// of them, so that machines without an instruction set still test the bodies written for it.
//
// Usage  HONE_TARGET_BEGIN("avx2,fma") … functions … HONE_TARGET_END
//
// Why not compiler flags for the whole file: inline functions of the standard library would be
// compiled with them too, and the linker might keep that copy for everybody. Include everything
// else first.
#pragma once

#if defined(HONE_SIMDE)
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>
#define HONE_TARGET_BEGIN(target)
#define HONE_TARGET_END

#include "kernels/matmul/simde_missing.h"
#else
#include <immintrin.h>
#define HONE_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define HONE_TARGET_BEGIN(isa) \
  HONE_PRAGMA(clang attribute push(__attribute__((target(isa))), apply_to = function))
#define HONE_TARGET_END HONE_PRAGMA(clang attribute pop)
#else
#define HONE_TARGET_BEGIN(isa) HONE_PRAGMA(GCC push_options) HONE_PRAGMA(GCC target(isa))
#define HONE_TARGET_END HONE_PRAGMA(GCC pop_options)
#endif
#endif

#if defined(__clang__)
#define HONE_UNROLL _Pragma("unroll")
#else
#define HONE_UNROLL _Pragma("GCC unroll 32")
#endif

// An empty asm that claims to change its operand. In a sum it keeps the compiler from
// reassociating: GCC turns a chain of vector additions into a tree, whose many leaves it then
// spills. It costs nothing.
#if defined(HONE_SIMDE)
#define HONE_KEEP(x)
#else
#define HONE_KEEP(x) __asm__ volatile("" : "+v"(x))
#endif

#define HONE_TARGET_AVX2 "avx2,fma,f16c"
#define HONE_TARGET_AVXVNNI "avx2,fma,f16c,avxvnni"
#define HONE_TARGET_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c"
#define HONE_TARGET_AVX512BF16 HONE_TARGET_AVX512 ",avx512bf16"
