#include <memory>
#include <utility>

#include "base/utf8.h"
#include "text/regex.h"
#include "text/unicode.h"

namespace hone::text {
namespace {

constexpr std::uint32_t kInfinite = 0xFFFFFFFF;
constexpr int kMaxNesting = 64;

using CharSet = Regex::CharSet;
using Op = Regex::Op;

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

void AddFlags(std::uint16_t flags, bool negated, CharSet* set) {
  CharSet::Item item;
  item.flags = flags;
  item.negated = negated;
  set->items.push_back(item);
}

void FinishSet(CharSet* set) {
  for (char32_t c = 0; c < 0x80; ++c) {
    if (set->Matches(c)) set->ascii[c >> 6] |= std::uint64_t{1} << (c & 63);
  }
}

}  // namespace

// Compiles while it parses: what is parsed so far is a list of instructions whose jumps are
// absolute, so that code that has to go in front of other code moves it (Insert).
class RegexCompiler {
 public:
  RegexCompiler(std::string_view pattern, std::string_view where)
      : pattern_(pattern), where_(where) {}

  base::StatusOr<Regex> Compile() {
    HONE_RETURN_IF_ERROR(Alternatives(0));
    if (!AtEnd()) return Fail("unmatched )");
    Add(Op::kMatch);
    regex_.Optimise();
    return std::move(regex_);
  }

  Regex CompileLiteral() {
    while (!AtEnd()) AddLiteralCharacter(Next());
    Add(Op::kMatch);
    regex_.Optimise();
    return std::move(regex_);
  }

 private:
  using Code = std::vector<Regex::Instruction>;

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

  Code& code() { return regex_.program_; }
  std::uint32_t Here() { return static_cast<std::uint32_t>(code().size()); }
  void Add(Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0) {
    code().push_back({op, a, b, c});
  }
  static bool HasTarget(Op op) {
    return op == Op::kSplit || op == Op::kSplitLazy || op == Op::kJump || op == Op::kAssert ||
           op == Op::kAtomic;
  }
  // Puts an instruction in front of the code from `begin` on.
  void Insert(std::uint32_t begin, Regex::Instruction instruction) {
    for (std::size_t i = begin; i < code().size(); ++i) {
      if (HasTarget(code()[i].op)) ++code()[i].a;
    }
    code().insert(code().begin() + begin, instruction);
  }
  // Appends a copy of `piece`, which stood at `begin`.
  void AppendCopy(const Code& piece, std::uint32_t begin) {
    const std::uint32_t shift = Here() - begin;
    for (Regex::Instruction instruction : piece) {
      if (HasTarget(instruction.op)) instruction.a += shift;
      code().push_back(instruction);
    }
  }

  base::Status Alternatives(int depth) {
    if (depth > kMaxNesting) return Fail("groups are nested too deeply");
    const bool outer_case = ignore_case_;
    std::vector<std::uint32_t> jumps;
    while (true) {
      const std::uint32_t begin = Here();
      HONE_RETURN_IF_ERROR(Concatenation(depth));
      if (Peek() != '|' || AtEnd()) break;
      ++at_;
      Insert(begin, {Op::kSplit});
      jumps.push_back(Here());
      Add(Op::kJump);
      code()[begin].a = Here();
    }
    for (const std::uint32_t jump : jumps) code()[jump].a = Here();
    ignore_case_ = outer_case;
    return base::OkStatus();
  }

  base::Status Concatenation(int depth) {
    while (!AtEnd() && Peek() != '|' && Peek() != ')') {
      const std::uint32_t begin = Here();
      HONE_RETURN_IF_ERROR(Atom(depth));
      HONE_RETURN_IF_ERROR(Quantifiers(begin));
      if (Here() > Regex::kMaxInstructions) return Fail("the pattern is too long");
    }
    return base::OkStatus();
  }

  base::Status Atom(int depth) {
    const char c = Peek();
    if (c == '(') return Group(depth);
    if (c == '[') {
      CharSet set;
      HONE_RETURN_IF_ERROR(Class(&set, 0));
      AddSet(std::move(set));
      return base::OkStatus();
    }
    if (c == '\\') return Escape();
    ++at_;
    switch (c) {
      case '^': Add(Op::kLineBegin); return base::OkStatus();
      case '$': Add(Op::kLineEnd); return base::OkStatus();
      case '.': {
        CharSet set;
        AddRange('\n', '\n', &set);
        set.negated = true;
        AddSet(std::move(set));
        return base::OkStatus();
      }
      case '*':
      case '+':
      case '?': return Fail("nothing to repeat");
      default:
        --at_;
        AddLiteralCharacter(Next());
        return base::OkStatus();
    }
  }

  void AddSet(CharSet set) {
    FinishSet(&set);
    Add(Op::kSet, static_cast<std::uint32_t>(regex_.sets_.size()));
    regex_.sets_.push_back(std::move(set));
  }
  void AddLiteralCharacter(char32_t c) {
    CharSet set;
    AddLiteral(c, ignore_case_, &set);
    AddSet(std::move(set));
  }

  base::Status Group(int depth) {
    ++at_;  // (
    const std::uint32_t begin = Here();
    if (Take("?i)")) {  // for the rest of the enclosing group
      ignore_case_ = true;
      return base::OkStatus();
    }
    const bool outer_case = ignore_case_;
    enum { kPlainGroup, kAhead, kBehindGroup, kAtomicGroup } kind = kPlainGroup;
    bool negated = false;
    if (Take("?i:")) {
      ignore_case_ = true;
    } else if (Take("?=") || Take("?!")) {
      kind = kAhead;
      negated = pattern_[at_ - 1] == '!';
    } else if (Take("?<=") || Take("?<!")) {
      kind = kBehindGroup;
      negated = pattern_[at_ - 1] == '!';
    } else if (Take("?>")) {
      kind = kAtomicGroup;
    } else if (Peek() == '?' && !Take("?:")) {
      return Fail("this kind of group is not supported");
    }
    HONE_RETURN_IF_ERROR(Alternatives(depth + 1));
    if (!Take(")")) return Fail("expected )");
    ignore_case_ = outer_case;
    if (kind == kBehindGroup) {
      if (Here() != begin + 1 || code()[begin].op != Op::kSet) {
        return Fail("look-behind of more than one character is not supported");
      }
      code()[begin] = {Op::kBehind, code()[begin].a, negated ? 1u : 0u, 0};
    } else if (kind != kPlainGroup) {
      Add(Op::kMatch);
      Insert(begin, {kind == kAhead ? Op::kAssert : Op::kAtomic, 0, negated ? 1u : 0u, 0});
      code()[begin].a = Here();
    }
    return base::OkStatus();
  }

  base::Status Quantifiers(std::uint32_t begin) {
    while (!AtEnd()) {
      std::uint32_t least = 0, most = kInfinite;
      bool counted = false;
      if (Take("*")) {
      } else if (Take("+")) {
        least = 1;
      } else if (Take("?")) {
        most = 1;
      } else if (Peek() == '{') {
        HONE_RETURN_IF_ERROR(Counts(&least, &most, &counted));
        if (!counted) return base::OkStatus();
      } else {
        return base::OkStatus();
      }
      // {n,m}+ repeats again in this syntax; it does not make the repetition possessive.
      Op op = Op::kRepeat;
      if (Take("?")) {
        op = Op::kRepeatLazy;
      } else if (!counted && Take("+")) {
        op = Op::kRepeatAll;
      }
      HONE_RETURN_IF_ERROR(Repeat(begin, least, most, op));
    }
    return base::OkStatus();
  }

  // {n}, {n,}, {,m}, {n,m}; anything else is literal text.
  base::Status Counts(std::uint32_t* least, std::uint32_t* most, bool* counted) {
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
      AddLiteralCharacter('{');
      return base::OkStatus();
    }
    if (!comma) *most = *least;
    if (comma && !has_most) *most = kInfinite;
    if (*least > *most) return Fail("the counts of {n,m} are in the wrong order");
    *counted = true;
    return base::OkStatus();
  }

  base::Status Repeat(std::uint32_t begin, std::uint32_t least, std::uint32_t most, Op op) {
    if (begin == Here()) return base::OkStatus();  // repeats nothing
    if (Here() == begin + 1 && code()[begin].op == Op::kSet) {
      code()[begin] = {op, code()[begin].a, least, most};
      return base::OkStatus();
    }
    const Code piece(code().begin() + begin, code().end());
    const std::uint64_t copies = most == kInfinite ? std::uint64_t{least} + 1 : most;
    if (copies * (piece.size() + 2) > Regex::kMaxInstructions) return Fail("too many repetitions");
    code().resize(begin);
    for (std::uint32_t i = 0; i < least; ++i) AppendCopy(piece, begin);
    const Op split = op == Op::kRepeatLazy ? Op::kSplitLazy : Op::kSplit;
    if (most == kInfinite) {
      const std::uint32_t loop = Here();
      Add(split);
      AppendCopy(piece, begin);
      Add(Op::kJump, loop);
      code()[loop].a = Here();
    } else {
      std::vector<std::uint32_t> splits;
      for (std::uint32_t i = least; i < most; ++i) {
        splits.push_back(Here());
        Add(split);
        AppendCopy(piece, begin);
      }
      for (const std::uint32_t at : splits) code()[at].a = Here();
    }
    if (op == Op::kRepeatAll) {
      Add(Op::kMatch);
      Insert(begin, {Op::kAtomic});
      code()[begin].a = Here();
    }
    return base::OkStatus();
  }

  base::Status Escape() {
    const std::size_t start = at_;
    ++at_;
    const char c = Peek();
    const Op anchor = c == 'A'   ? Op::kTextBegin
                      : c == 'z' ? Op::kTextEnd
                      : c == 'b' ? Op::kWordEdge
                      : c == 'B' ? Op::kNotWordEdge
                                 : Op::kMatch;
    if (!AtEnd() && anchor != Op::kMatch) {
      ++at_;
      Add(anchor);
      return base::OkStatus();
    }
    at_ = start;
    CharSet set;
    char32_t literal = 0;
    bool is_literal = false;
    HONE_RETURN_IF_ERROR(EscapedSet(&set, &literal, &is_literal));
    if (is_literal) AddLiteral(literal, ignore_case_, &set);
    AddSet(std::move(set));
    return base::OkStatus();
  }

  // An escape that stands for a character or for a set of them, in a class or outside.
  base::Status EscapedSet(CharSet* set, char32_t* literal, bool* is_literal) {
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

  base::Status HexDigits(int least, int most, bool braces, char32_t* value) {
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

  base::Status Property(bool negated, CharSet* set) {
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

  base::Status Class(CharSet* set, int) {
    ++at_;  // [
    set->negated = Take("^");
    bool first = true;
    while (true) {
      if (AtEnd()) return Fail("expected ]");
      if (Peek() == ']' && !first) break;
      first = false;
      if (Peek() == '[' || pattern_.substr(at_, 2) == "&&") {
        return Fail("a class within a class is not supported");
      }
      char32_t low = 0;
      bool is_literal = true;
      if (Peek() == '\\') {
        HONE_RETURN_IF_ERROR(EscapedSet(set, &low, &is_literal));
      } else {
        low = Next();
      }
      if (!is_literal) continue;
      if (Peek() == '-' && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        char32_t high = 0;
        bool high_is_literal = true;
        if (Peek() == '\\') {
          CharSet unused;
          HONE_RETURN_IF_ERROR(EscapedSet(&unused, &high, &high_is_literal));
        } else {
          high = Next();
        }
        if (!high_is_literal || high < low) return Fail("not a range");
        AddRange(low, high, set);
        if (ignore_case_) AddCaseOfRange(low, high, set);
      } else {
        AddLiteral(low, ignore_case_, set);
      }
    }
    ++at_;
    return base::OkStatus();
  }

  static void AddCaseOfRange(char32_t low, char32_t high, CharSet* set) {
    for (char32_t c = low; c <= high && c < 0x80; ++c) AddLiteral(c, true, set);
  }

  const std::string_view pattern_, where_;
  std::size_t at_ = 0;
  bool ignore_case_ = false;
  Regex regex_;
};

base::StatusOr<Regex> Regex::Compile(std::string_view pattern, std::string_view where) {
  return RegexCompiler(pattern, where).Compile();
}

Regex Regex::Literal(std::string_view text) {
  return RegexCompiler(text, "").CompileLiteral();
}

}  // namespace hone::text
