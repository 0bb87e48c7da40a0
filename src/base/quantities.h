// Amounts as people write them: "512MiB", "30s".
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace hone::base {

// A whole number or a decimal one with a unit: B (or none), KB, MB, GB, TB (powers of 1000), KiB, MiB,
// GiB, TiB (of 1024; K, M, G alone mean these, as containers' limits do). Above 0, below 2^60.
StatusOr<std::uint64_t> ParseBytes(std::string_view text);

// us, ms (or no unit), s, m, h; above 0, at most 24 hours. Milliseconds.
StatusOr<double> ParseDurationMs(std::string_view text);

}  // namespace hone::base
