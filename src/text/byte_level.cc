#include "text/byte_level.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"

namespace hone::text {
namespace {

// Bytes that print keep their code point; the others, in order, take U+0100 and on.
constexpr bool Prints(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

constexpr auto kChars = [] {
  std::array<std::uint16_t, 256> chars = {};
  int others = 0;
  for (int byte = 0; byte < 256; ++byte) {
    chars[static_cast<std::size_t>(byte)] =
        static_cast<std::uint16_t>(Prints(byte) ? byte : 256 + others++);
  }
  return chars;
}();

constexpr auto kBytes = [] {
  std::array<std::int16_t, 0x144> bytes = {};
  for (std::int16_t& byte : bytes) byte = -1;
  for (int byte = 0; byte < 256; ++byte) {
    bytes[kChars[static_cast<std::size_t>(byte)]] = static_cast<std::int16_t>(byte);
  }
  return bytes;
}();

}  // namespace

char32_t ByteToChar(unsigned char byte) {
  return kChars[byte];
}

int CharToByte(char32_t rune) {
  return rune < kBytes.size() ? kBytes[rune] : -1;
}

std::optional<std::string> SpelledBytes(std::string_view token) {
  std::string bytes;
  for (std::size_t i = 0; i < token.size();) {
    const base::DecodedRune decoded = base::DecodeRune(token, i);
    const int byte = decoded.valid ? CharToByte(decoded.rune) : -1;
    if (byte < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(byte));
    i += decoded.size;
  }
  return bytes;
}

}  // namespace hone::text
