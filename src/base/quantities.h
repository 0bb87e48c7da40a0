// Amounts as people write them: "512MiB", "30s".
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "base/time_ns.h"

namespace hone::base {

// A whole number or a decimal one with a unit: B (or none), KB, MB, GB, TB (powers of 1000), KiB, MiB,
// GiB, TiB (of 1024; K, M, G alone mean these, as containers' limits do). Above 0, below 2^60.
StatusOr<std::uint64_t> ParseBytes(std::string_view text);

// The unit of a duration that is a number alone.
enum class BareNumber : std::uint8_t { kRefused, kMilliseconds, kSeconds };

// "500us", "20ms", "90s", "1.5h", "1h30m": numbers with units (us, ms, s, m, h), added up; "2h30" is none. At
// least a nanosecond, at most 366 days.
StatusOr<TimeNs> ParseDuration(std::string_view text, BareNumber bare);

}  // namespace hone::base
