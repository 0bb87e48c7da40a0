#include "base/float_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace hone::base {
namespace {

// Two digits at a time: "00", "01", … "99".
struct DigitPairs {
  constexpr DigitPairs() : text() {
    for (int i = 0; i < 100; ++i) {
      text[2 * i] = static_cast<char>('0' + i / 10);
      text[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
  }
  char text[200];
};
constexpr DigitPairs kPairs;

void WritePair(char* at, std::uint32_t pair) {
  std::memcpy(at, kPairs.text + 2 * pair, 2);
}

// Exactly eight digits.
void WriteEight(char* at, std::uint32_t value) {
  const std::uint32_t high = value / 10000, low = value % 10000;
  WritePair(at, high / 100);
  WritePair(at + 2, high % 100);
  WritePair(at + 4, low / 100);
  WritePair(at + 6, low % 100);
}

}  // namespace

char* WriteFloat(char* at, float x) {
  const double size = x < 0 ? -double{x} : double{x};
  if (!(size >= 1e-4 && size < 1)) return std::to_chars(at, at + kLongestFloat, x).ptr;
  int zeros = 0;       // between the point and the first digit
  double scale = 1e8;  // 10^(8 + zeros), which a double holds exactly
  for (double bound = 0.1; size < bound; bound *= 0.1) {
    ++zeros;
    scale *= 10;
  }
  if (x < 0) *at++ = '-';
  std::fill_n(at, 6, '0');
  at[1] = '.';
  at += 2 + zeros;
  char* end = at + 8;
  const double scaled = size * scale;  // 1e7 … 1e8 - 5
  // Adding a half is exact for what is so far below 2^52.
  const auto eight =
      static_cast<std::uint32_t>(scaled + 0.5);  // NOLINT(bugprone-incorrect-roundings)
  // A reader of what lies closer than half the distance to the next float gets x: 2^-24 of the power of two
  // below x, and half of that where x is that power itself, for those below it lie denser.
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(x) & 0x7FFFFFFF;
  const double power = std::bit_cast<float>(bits & 0x7F800000);
  const double half = power * (bits == (bits & 0x7F800000) ? 0x1p-25 : 0x1p-24);
  if (std::abs(eight - scaled) < 0.99 * half * scale) {
    WriteEight(at, eight);
  } else {
    // Nine digits always do: half a unit of the ninth is at most size · 5e-9.
    const auto nine =
        static_cast<std::uint32_t>(scaled * 10 + 0.5);  // NOLINT(bugprone-incorrect-roundings)
    WriteEight(at, nine / 10);
    *end++ = static_cast<char>('0' + nine % 10);
  }
  while (end[-1] == '0') --end;
  return end;
}

}  // namespace hone::base
