// Properties of code points as Hugging Face tokenizers sees them.
//
// The original mixes four Unicode versions: its punctuation and nonspacing-mark tests know Unicode
// 8, its normalisation forms Unicode 9, its regular expressions 16 and its letter case 17. Ids must
// agree on every code point, so utf8proc (Unicode 15) is the base here and unicode.cc lists the
// differences, which were found by asking the original about every code point.
#pragma once

#include <cstdint>
#include <string_view>

namespace hone::text {

enum CharFlag : std::uint16_t {
  kWhitespace = 1 << 0,   // White_Space: Rust's char::is_whitespace, \s
  kPunctuation = 1 << 1,  // BERT's: category P, and every ASCII symbol
  kControl = 1 << 2,      // what BERT's cleaning removes
  kNonspacing = 1 << 3,   // what BERT's accent stripping removes
  kCombining = 1 << 4,    // what StripAccents removes
  kNumeric = 1 << 5,      // Rust's char::is_numeric
  kLetter = 1 << 6,       // \p{L}
  kNumber = 1 << 7,       // \p{N}
  kRegexWord = 1 << 8,    // \w of the file's regular expressions
  kWord = 1 << 9,         // \w of the Whitespace pre-tokenizer and of single_word tokens
  kMark = 1 << 10,        // \p{M}
  kChinese = 1 << 11,     // CJK ideographs in BERT's sense
  kDigit = 1 << 12,       // \d, \p{Nd}
  kHasLower = 1 << 13,    // differs from its lower case
  kNfdActive = 1 << 14,   // decomposes canonically, or has a combining class
  kNfkdActive = 1 << 15,  // decomposes, or has a combining class
};

// Code points below this are answered from a table that is built on first use (0.6 ms).
inline constexpr char32_t kTableSize = 0x20000;
const std::uint16_t* CharFlagTable();
std::uint16_t ComputeCharFlags(char32_t rune);

inline std::uint16_t CharFlags(char32_t rune) {
  static const std::uint16_t* const table = CharFlagTable();
  return rune < kTableSize ? table[rune] : ComputeCharFlags(rune);
}
inline bool Has(char32_t rune, std::uint16_t flags) {
  return (CharFlags(rune) & flags) != 0;
}

inline bool IsAsciiPunctuation(unsigned char c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) ||
         (c >= 123 && c <= 126);
}

// Lower case of one code point: 1 or 2 code points (only U+0130 has two). Returns how many.
int ToLower(char32_t rune, char32_t out[2]);

// Full decomposition (canonical, or compatibility too), at most kMaxDecomposition code points.
inline constexpr int kMaxDecomposition = 18;  // U+FDFA
int Decompose(char32_t rune, bool compatibility, char32_t out[kMaxDecomposition]);
// The primary composite of a pair, or 0.
char32_t Compose(char32_t first, char32_t second);
int CombiningClass(char32_t rune);

// A set of general categories, one bit each. "Lu" names one, "L" all that begin with L; 0: no such
// name.
std::uint32_t CategorySet(std::string_view name);
std::uint32_t CategoryBit(char32_t rune);

// What a terminal shows it in: 2 columns for East Asian wide characters and emoji, 0 for what combines or is
// not shown, or else 1. Source  Unicode 15, UAX #11.
int DisplayColumns(char32_t rune);

// True where a grapheme cluster ends between two neighbours; `state` starts at 0 for each text.
bool GraphemeBreak(char32_t before, char32_t after, std::int32_t* state);

}  // namespace hone::text
