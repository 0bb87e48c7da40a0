#include "text/regex_reader.h"

#include "text/unicode.h"

namespace hone::text {

using CharSet = Regex::CharSet;

namespace {

void AddFlags(std::uint16_t flags, bool negated, CharSet* set) {
  CharSet::Item item;
  item.flags = flags;
  item.negated = negated;
  set->items.push_back(item);
}

}  // namespace

void AddRange(char32_t first, char32_t last, CharSet* set) {
  CharSet::Item item;
  item.first = first;
  item.last = last;
  set->items.push_back(item);
}

// A character, and when case does not count all that fold to it (ſ folds to s, the Kelvin sign to
// k).
void AddLiteral(char32_t c, bool ignore_case, CharSet* set) {
  AddRange(c, c, set);
  if (!ignore_case) return;
  if (c < 0x80) {
    const char32_t lower = c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (lower < 'a' || lower > 'z') return;
    AddRange(lower, lower, set);
    AddRange(lower - 32, lower - 32, set);
    if (lower == 's') AddRange(0x17F, 0x17F, set);
    if (lower == 'k') AddRange(0x212A, 0x212A, set);
    return;
  }
  char32_t lower[2];
  if (ToLower(c, lower) == 1) AddRange(lower[0], lower[0], set);
}

void FinishSet(CharSet* set) {
  for (char32_t c = 0; c < 0x80; ++c) {
    if (set->Matches(c)) set->ascii[c >> 6] |= std::uint64_t{1} << (c & 63);
  }
}

// An escape that stands for a character or for a set of them, in a class or outside.
base::Status RegexReader::EscapedSet(CharSet* set, char32_t* literal, bool* is_literal) {
  ++at_;  // backslash
  if (AtEnd()) return Fail("nothing after the backslash");
  *is_literal = false;
  const std::size_t start = at_;
  const char32_t c = Next();
  switch (c) {
    case 's':
    case 'S': AddFlags(kWhitespace, c == 'S', set); return base::OkStatus();
    case 'd':
    case 'D': AddFlags(kDigit, c == 'D', set); return base::OkStatus();
    case 'w':
    case 'W': AddFlags(kRegexWord, c == 'W', set); return base::OkStatus();
    case 'p':
    case 'P': return Property(c == 'P', set);
    default: break;
  }
  *is_literal = true;
  switch (c) {
    case 'n': *literal = '\n'; break;
    case 'r': *literal = '\r'; break;
    case 't': *literal = '\t'; break;
    case 'f': *literal = '\f'; break;
    case 'v': *literal = '\v'; break;
    case 'a': *literal = 7; break;
    case 'e': *literal = 27; break;
    case 'x':
      return Peek() == '{' ? HexDigits(1, 6, true, literal) : HexDigits(1, 2, false, literal);
    case 'u': return HexDigits(4, 4, false, literal);
    default:
      if (c < 0x80 && !IsAsciiPunctuation(static_cast<unsigned char>(c)) && c != ' ') {
        at_ = start;
        return Fail("this escape is not supported");
      }
      *literal = c;
  }
  return base::OkStatus();
}

base::Status RegexReader::HexDigits(int least, int most, bool braces, char32_t* value) {
  if (braces) ++at_;
  int count = 0;
  *value = 0;
  for (; count < most && !AtEnd(); ++count, ++at_) {
    const char c = Peek();
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) break;
    *value = *value * 16 + static_cast<char32_t>(digit);
  }
  if (count < least || (braces && !Take("}")) || *value > 0x10FFFF) {
    return Fail("not a hexadecimal code point");
  }
  return base::OkStatus();
}

base::Status RegexReader::Property(bool negated, CharSet* set) {
  const std::size_t start = at_;
  if (!Take("{")) return Fail("expected { after \\p");
  if (Take("^")) negated = !negated;
  const std::size_t close = pattern_.find('}', at_);
  if (close == std::string_view::npos) return Fail("expected }");
  const std::string_view name = pattern_.substr(at_, close - at_);
  const std::uint32_t categories = CategorySet(name);
  if (categories == 0) {
    at_ = start;
    return Fail("this character property is not supported");
  }
  at_ = close + 1;
  const std::uint16_t flags = name == "L"    ? kLetter
                              : name == "N"  ? kNumber
                              : name == "M"  ? kMark
                              : name == "Nd" ? kDigit
                                             : 0;
  CharSet::Item item;
  item.flags = flags;
  item.categories = flags != 0 ? 0 : categories;
  item.negated = negated;
  set->items.push_back(item);
  return base::OkStatus();
}

base::Status RegexReader::Class(CharSet* set) {
  ++at_;  // [
  set->negated = Take("^");
  for (bool first = true; first || Peek() != ']'; first = false) {
    if (AtEnd()) return Fail("expected ]");
    HONE_RETURN_IF_ERROR(ClassItem(set));
  }
  ++at_;
  return base::OkStatus();
}

// A character, a range or an escape.
base::Status RegexReader::ClassItem(CharSet* set) {
  if (Peek() == '[' || pattern_.substr(at_, 2) == "&&") {
    return Fail("a class within a class is not supported");
  }
  char32_t low = 0, high = 0;
  bool is_literal = true;
  if (Peek() != '\\') {
    low = Next();
  } else {
    HONE_RETURN_IF_ERROR(EscapedSet(set, &low, &is_literal));
    if (!is_literal) return base::OkStatus();
  }
  if (Peek() != '-' || at_ + 1 >= pattern_.size() || pattern_[at_ + 1] == ']') {
    AddLiteral(low, ignore_case_, set);
    return base::OkStatus();
  }
  ++at_;
  if (Peek() != '\\') {
    high = Next();
  } else {
    CharSet unused;
    HONE_RETURN_IF_ERROR(EscapedSet(&unused, &high, &is_literal));
  }
  if (!is_literal || high < low) return Fail("not a range");
  AddRange(low, high, set);
  for (char32_t c = low; ignore_case_ && c <= high && c < 0x80; ++c) AddLiteral(c, true, set);
  return base::OkStatus();
}

// {n}, {n,}, {,m}, {n,m}; anything else is literal text.
base::Status RegexReader::Counts(std::uint32_t* least, std::uint32_t* most, bool* counted) {
  const std::size_t start = at_++;
  const auto number = [&](std::uint32_t* value) {
    const std::size_t first = at_;
    for (*value = 0; Peek() >= '0' && Peek() <= '9' && *value < 100000; ++at_) {
      *value = *value * 10 + static_cast<std::uint32_t>(Peek() - '0');
    }
    return at_ > first;
  };
  const bool has_least = number(least);
  bool has_most = false;
  const bool comma = Take(",");
  if (comma) has_most = number(most);
  if (!Take("}") || (!has_least && !has_most)) {
    at_ = start + 1;
    return base::OkStatus();
  }
  if (!comma) *most = *least;
  if (comma && !has_most) *most = kInfinite;
  if (*least > *most) return Fail("the counts of {n,m} are in the wrong order");
  *counted = true;
  return base::OkStatus();
}

}  // namespace hone::text
