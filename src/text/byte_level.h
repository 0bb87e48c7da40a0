// GPT-2's alphabet: every byte as one printable character, so that a byte-level vocabulary is text.
// Source  openai/gpt-2, encoder.py, bytes_to_unicode.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hone::text {

// The character of a byte, U+0021 .. U+0143.
char32_t ByteToChar(unsigned char byte);
// The byte of a character of the alphabet, or -1.
int CharToByte(char32_t rune);

// The bytes that a vocabulary entry spells, where all of its characters are of the alphabet.
std::optional<std::string> SpelledBytes(std::string_view token);

}  // namespace hone::text
