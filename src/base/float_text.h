// Floats as short decimal text that reads back the same, for answers full of them.
//
// Why not std::to_chars alone: it looks for the very shortest text, about 30 ns a number, which was a sixth of
// what a served embedding cost its front. Between 1e-4 and 1, where the numbers of unit vectors lie, eight or
// nine digits come from one multiplication instead, in a third of the time (384 values: 13.2 to 4.6 µs).
#pragma once

#include <cstddef>

namespace hone::base {

// "-1.1754944e-38" is the longest there is.
inline constexpr std::size_t kLongestFloat = 16;

// Writes `x`, which is finite, to `at`, where kLongestFloat bytes are free; returns the end. A correctly rounding
// reader gets `x` again. Mostly the shortest such text, at times one of eight digits where seven would do.
char* WriteFloat(char* at, float x);

}  // namespace hone::base
