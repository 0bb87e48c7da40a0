// Which of Highway's targets the kernels are compiled for: include before hwy/foreach_target.h.
//
// One target a register width is enough, since no body uses what the targets between add; each more
// would only lengthen the build. Left are the baseline (scalar or SSE2, by Highway's version),
// AVX2, AVX3 (AVX-512) and NEON.
#pragma once

// Macros are expanded where Highway uses HWY_DISABLED_TARGETS, after it has defined its names.
#if defined(__x86_64__)
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL | HONE_NEWER_TARGETS)
#else
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
#endif
#include "hwy/detect_targets.h"

// Targets that versions after 1.0.3 added.
#if defined(HWY_AVX3_ZEN4) && defined(HWY_AVX3_SPR)
#define HONE_NEWER_TARGETS (HWY_AVX3_ZEN4 | HWY_AVX3_SPR)
#elif defined(HWY_AVX3_ZEN4)
#define HONE_NEWER_TARGETS HWY_AVX3_ZEN4
#else
#define HONE_NEWER_TARGETS 0
#endif
