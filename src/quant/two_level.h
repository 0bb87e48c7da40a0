// From plain group scales, as files have them, back to the two levels of quant/int4.h.
#pragma once

#include <cstdint>
#include <span>

namespace hone::quant {

// Looks for a channel scale and integers s[g] in 1 … kMaxGroupScale with
//   float(scale · s[g]) == group_scale[g]     exactly, for every g
// which exists for every row that Hone wrote. Returns false, and leaves the outputs unspecified,
// where there is none: other people's scales are any numbers. A row of zeros gives scale 0 and s 1.
bool TwoLevelFromGroupScales(std::span<const float> group_scale, float* scale,
                             std::span<std::uint8_t> s);

}  // namespace hone::quant
