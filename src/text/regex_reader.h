// Reads the parts of a pattern that stand for characters: escapes, classes, counts. For
// regex_compile.cc.
#pragma once

#include <string_view>

#include "base/utf8.h"
#include "text/regex.h"

namespace hone::text {

inline constexpr std::uint32_t kInfinite = 0xFFFFFFFF;

// A character, and when case does not count all that fold to it (ſ folds to s, the Kelvin sign to
// k).
void AddLiteral(char32_t c, bool ignore_case, Regex::CharSet* set);
void AddRange(char32_t first, char32_t last, Regex::CharSet* set);
// Fills in the table of ASCII characters.
void FinishSet(Regex::CharSet* set);

class RegexReader {
 public:
  RegexReader(std::string_view pattern, std::string_view where)
      : pattern_(pattern), where_(where) {}

 protected:
  bool AtEnd() const { return at_ >= pattern_.size(); }
  char Peek() const { return AtEnd() ? '\0' : pattern_[at_]; }
  bool Take(std::string_view text) {
    if (pattern_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }
  char32_t Next() {
    const base::DecodedRune decoded = base::DecodeRune(pattern_, at_);
    at_ += decoded.size;
    return decoded.rune;
  }
  base::Status Fail(std::string_view what) const {
    return base::Unsupported(where_, ": regular expression \"", pattern_, "\", byte ", at_, ": ",
                             what);
  }

  // [...], from the bracket on.
  base::Status Class(Regex::CharSet* set);
  // An escape that stands for a character or for a set of them, in a class or outside.
  base::Status EscapedSet(Regex::CharSet* set, char32_t* literal, bool* is_literal);
  // {n}, {n,}, {,m}, {n,m}; anything else is literal text, and then only the brace is read.
  base::Status Counts(std::uint32_t* least, std::uint32_t* most, bool* counted);

  const std::string_view pattern_, where_;
  std::size_t at_ = 0;
  bool ignore_case_ = false;

 private:
  base::Status HexDigits(int least, int most, bool braces, char32_t* value);
  base::Status Property(bool negated, Regex::CharSet* set);
  base::Status ClassItem(Regex::CharSet* set);
};

}  // namespace hone::text
