#include "base/utf8.h"

#include <cstring>

namespace hone::base {
namespace {

// The allowed range of the second byte depends on the first (Unicode 15, table 3-7).
struct SecondByteRange {
  std::uint8_t low, high;
};

SecondByteRange SecondByte(std::uint8_t first) {
  switch (first) {
    case 0xE0: return {0xA0, 0xBF};
    case 0xED: return {0x80, 0x9F};
    case 0xF0: return {0x90, 0xBF};
    case 0xF4: return {0x80, 0x8F};
    default: return {0x80, 0xBF};
  }
}

bool IsAscii(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  return (word & 0x8080808080808080u) == 0;
}

}  // namespace

DecodedRune DecodeRune(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[position + i]); };
  const std::size_t left = text.size() - position;
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const int length = first >= 0xC2 && first <= 0xDF   ? 2
                     : first >= 0xE0 && first <= 0xEF ? 3
                     : first >= 0xF0 && first <= 0xF4 ? 4
                                                      : 0;
  if (length == 0) return {kReplacementCharacter, 1, false};
  char32_t rune = first & (0x7F >> length);
  SecondByteRange range = SecondByte(first);
  for (int i = 1; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= left || byte(i) < range.low || byte(i) > range.high) {
      return {kReplacementCharacter, static_cast<std::uint8_t>(i), false};
    }
    rune = rune << 6 | (byte(i) & 0x3F);
    range = {0x80, 0xBF};
  }
  return {rune, static_cast<std::uint8_t>(length), true};
}

void AppendRune(char32_t rune, std::string* text) {
  const auto put = [&](char32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (rune < 0x80) {
    put(rune);
  } else if (rune < 0x800) {
    put(0xC0 | rune >> 6);
    put(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    put(0xE0 | rune >> 12);
    put(0x80 | (rune >> 6 & 0x3F));
    put(0x80 | (rune & 0x3F));
  } else {
    put(0xF0 | rune >> 18);
    put(0x80 | (rune >> 12 & 0x3F));
    put(0x80 | (rune >> 6 & 0x3F));
    put(0x80 | (rune & 0x3F));
  }
}

bool IsValidUtf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + 8 <= text.size() && IsAscii(text.data() + i)) {
      i += 8;
      continue;
    }
    const DecodedRune decoded = DecodeRune(text, i);
    if (!decoded.valid) return false;
    i += decoded.size;
  }
  return true;
}

std::string ToValidUtf8(std::string_view text) {
  if (IsValidUtf8(text)) return std::string(text);
  std::string result;
  result.reserve(text.size() + 8);
  for (std::size_t i = 0; i < text.size();) {
    const DecodedRune decoded = DecodeRune(text, i);
    AppendRune(decoded.rune, &result);
    i += decoded.size;
  }
  return result;
}

}  // namespace hone::base
