// UTF-8: decoding, and the one place that defines what becomes of invalid bytes.
//
// Replacement  as Unicode 15 §3.9 "maximal subpart" and WHATWG decoders do: each maximal prefix of
//              a well-formed sequence, or else each single byte, becomes one U+FFFD.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hone::base {

inline constexpr char32_t kReplacementCharacter = 0xFFFD;

struct DecodedRune {
  char32_t rune;      // U+FFFD when the bytes are not valid
  std::uint8_t size;  // bytes consumed, 1..4
  bool valid;
};

// Decodes the rune that starts at text[position]; position < text.size().
DecodedRune DecodeRune(std::string_view text, std::size_t position);

// Writes a rune (a scalar value) as 1..4 bytes at the end of `text`.
void AppendRune(char32_t rune, std::string* text);

bool IsValidUtf8(std::string_view text);

// `text`, with every invalid part replaced by U+FFFD.
std::string ToValidUtf8(std::string_view text);

}  // namespace hone::base
