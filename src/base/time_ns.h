// Moments and spans of time in nanoseconds, as everything that plans, waits or simulates counts them.
// A moment is read from env/clock.h, or made up by a simulation; only differences mean something.
#pragma once

#include <cstdint>
#include <limits>

namespace hone::base {

using TimeNs = std::int64_t;

inline constexpr TimeNs kMicrosecondNs = 1'000;
inline constexpr TimeNs kMillisecondNs = 1'000'000;
inline constexpr TimeNs kSecondNs = 1'000'000'000;
inline constexpr TimeNs kNeverNs = std::numeric_limits<TimeNs>::max();

}  // namespace hone::base
