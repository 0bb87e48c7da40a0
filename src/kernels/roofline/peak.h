// The loops of loops.inc, which the file of each architecture defines.
#pragma once

namespace hone::kernels {

#define HONE_PEAK_LOOP(function, instruction, format, isa, operations) void function(int rounds);
#include "kernels/roofline/loops.inc"
#undef HONE_PEAK_LOOP

}  // namespace hone::kernels
