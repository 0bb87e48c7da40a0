// A strict JSON parser (RFC 8259) into JsonTree.
//
// Why our own: a tokenizer.json is read at every start, and the SAX parser of nlohmann-json, which
// builds a std::string for each string, takes three times as long (41 against 14 ms for 2.1 MB;
// json_test.cc holds this parser to that one's verdicts and values).
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "base/json_tree.h"
#include "base/utf8.h"

namespace hone::base {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101u;
constexpr std::uint64_t kHighBits = 0x8080808080808080u;

// High bit set in each byte of `word` that is zero (and, harmlessly, in bytes above such a one).
constexpr std::uint64_t ZeroBytes(std::uint64_t word) {
  return (word - kOnes) & ~word & kHighBits;
}

// High bit set in the lowest of eight bytes that ends or complicates a string: quote, backslash,
// control. Bytes above that one may be marked falsely.
std::uint64_t Specials(const char* p) {
  std::uint64_t word;
  std::memcpy(&word, p, sizeof word);
  const std::uint64_t control = (word - kOnes * 0x20) & ~word & kHighBits;
  return ZeroBytes(word ^ kOnes * '"') | ZeroBytes(word ^ kOnes * '\\') | control;
}

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

class Parser {
 public:
  explicit Parser(JsonTree* tree)
      : tree_(*tree), begin_(tree->text.data()), p_(begin_), end_(begin_ + tree->text.size()) {}

  Status Run() {
    if (tree_.text.starts_with("\xEF\xBB\xBF"))
      p_ += 3;  // a byte order mark, as some editors write
    if (const std::size_t bad = InvalidUtf8(); bad != tree_.text.size()) {
      return Fail(begin_ + bad, "invalid UTF-8");
    }
    HONE_RETURN_IF_ERROR(Value());
    // One turn of the loop a value: a member's key or an element, or the end of a container.
    while (depth_ != 0) {
      SkipSpace();
      Level& level = levels_[depth_ - 1];
      const bool object = tree_.nodes[level.node].kind == JsonKind::kObject;
      if (p_ != end_ && *p_ == (object ? '}' : ']')) {
        ++p_;
        --depth_;
        continue;
      }
      if (level.last_child != kNoNode) {
        if (p_ == end_ || *p_ != ',') {
          return Fail(p_, object ? "expected \",\" or \"}\"" : "expected \",\" or \"]\"");
        }
        ++p_;
      }
      if (object) HONE_RETURN_IF_ERROR(Key());
      HONE_RETURN_IF_ERROR(Value());
    }
    SkipSpace();
    if (p_ != end_) return Fail(p_, "expected the end after the first value");
    return OkStatus();
  }

 private:
  struct Level {
    std::uint32_t node;
    std::uint32_t last_child;
  };

  Status Fail(const char* at, std::string_view reason) const {
    return BadInput(tree_.source, ": not valid JSON at byte ", at - begin_,
                    at == end_ ? " (the end)" : "", ": ", reason);
  }

  std::size_t InvalidUtf8() const {
    const std::string_view text = tree_.text;
    std::size_t i = 0;
    while (i < text.size()) {
      std::uint64_t word = 0;
      if (i + sizeof word <= text.size()) {
        std::memcpy(&word, text.data() + i, sizeof word);
        if ((word & kHighBits) == 0) {
          i += sizeof word;
          continue;
        }
      }
      // ASCII that no full word of ASCII follows, and two bytes (most of a byte-level vocabulary).
      const auto first = static_cast<unsigned char>(text[i]);
      if (first < 0x80) {
        ++i;
        continue;
      }
      if (first >= 0xC2 && first <= 0xDF && i + 1 < text.size() &&
          (static_cast<unsigned char>(text[i + 1]) & 0xC0) == 0x80) {
        i += 2;
        continue;
      }
      const DecodedRune rune = DecodeRune(text, i);
      if (!rune.valid) return i;
      i += rune.size;
    }
    return i;
  }

  void SkipSpace() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }

  JsonNode& Add(JsonKind kind) {
    const auto index = static_cast<std::uint32_t>(tree_.nodes.size());
    JsonNode& node = tree_.nodes.emplace_back();
    node.kind = kind;
    node.key = key_;
    key_ = {0, 0};
    if (depth_ == 0) return node;
    Level& level = levels_[depth_ - 1];
    node.parent = level.node;
    ++tree_.nodes[level.node].children;
    if (level.last_child != kNoNode) tree_.nodes[level.last_child].next = index;
    level.last_child = index;
    return node;
  }

  Status Key() {
    SkipSpace();
    if (p_ == end_ || *p_ != '"') return Fail(p_, "expected a name in quotes");
    HONE_RETURN_IF_ERROR(String(&key_));
    SkipSpace();
    if (p_ == end_ || *p_ != ':') return Fail(p_, "expected \":\" after the name");
    ++p_;
    return OkStatus();
  }

  Status Value() {
    SkipSpace();
    if (p_ == end_) return Fail(p_, "expected a value");
    switch (*p_) {
      case '{': return Open(JsonKind::kObject);
      case '[': return Open(JsonKind::kArray);
      case '"': {
        JsonText text = {0, 0};
        HONE_RETURN_IF_ERROR(String(&text));
        Add(JsonKind::kString).text = text;
        return OkStatus();
      }
      case 't': return Word("true", JsonKind::kBool, 1);
      case 'f': return Word("false", JsonKind::kBool, 0);
      case 'n': return Word("null", JsonKind::kNull, 0);
      default: return Number();
    }
  }

  Status Open(JsonKind kind) {
    if (depth_ == Json::kMaxDepth) {
      return BadInput(tree_.source, ": byte ", p_ - begin_, ": nested deeper than ",
                      Json::kMaxDepth, " levels");
    }
    ++p_;
    Add(kind).children = 0;
    levels_[depth_++] = {static_cast<std::uint32_t>(tree_.nodes.size() - 1), kNoNode};
    return OkStatus();
  }

  Status Word(std::string_view word, JsonKind kind, std::int64_t value) {
    if (!std::string_view(p_, static_cast<std::size_t>(end_ - p_)).starts_with(word)) {
      return Fail(p_, "expected a value");
    }
    p_ += word.size();
    Add(kind).integer = value;
    return OkStatus();
  }

  Status Number() {
    const char* const first = p_;
    const auto digits = [&] {
      const char* const from = p_;
      while (p_ != end_ && IsDigit(*p_)) ++p_;
      return p_ != from;
    };
    bool whole = true;
    if (*p_ == '-') ++p_;
    if (p_ != end_ && *p_ == '0') {
      ++p_;  // no digit may follow: "01" is no number
    } else if (!digits()) {
      p_ = first;
      return Fail(first, "expected a value");
    }
    if (p_ != end_ && *p_ == '.') {
      ++p_;
      whole = false;
      if (!digits()) return Fail(p_, "expected a digit after the point");
    }
    if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
      ++p_;
      whole = false;
      if (p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
      if (!digits()) return Fail(p_, "expected a digit in the exponent");
    }
    std::int64_t integer = 0;
    if (whole && std::from_chars(first, p_, integer).ec == std::errc()) {
      Add(JsonKind::kInt).integer = integer;
      return OkStatus();
    }
    double real = 0;
    if (std::from_chars(first, p_, real).ec == std::errc::result_out_of_range) {
      // Too large is an error, too small is zero; from_chars does not say which.
      real = std::strtod(std::string(first, p_).c_str(), nullptr);
      if (real > 1 || real < -1) return Fail(first, "the number is too large");
    }
    Add(JsonKind::kDouble).real = real;
    return OkStatus();
  }

  // *p_ is the opening quote. Without escapes the text stays where it is.
  Status String(JsonText* text) {
    const char* const first = ++p_;
    while (true) {
      while (end_ - p_ >= 8) {
        const std::uint64_t specials = Specials(p_);
        if (specials == 0) {
          p_ += 8;
          continue;
        }
        p_ += std::countr_zero(specials) / 8;
        break;
      }
      if (p_ == end_) return Fail(p_, "the string does not end");
      const char c = *p_;
      if (c == '"') break;
      if (c == '\\') return EscapedString(first, text);
      if (static_cast<unsigned char>(c) < 0x20) return Fail(p_, "a control character in a string");
      ++p_;
    }
    *text = {Offset(first), static_cast<std::uint32_t>(p_ - first)};
    ++p_;
    return OkStatus();
  }

  // Goes on at the first backslash. Decoded text is never longer than its escapes, so it is written
  // over the document's own bytes.
  Status EscapedString(const char* first, JsonText* text) {
    char* out = tree_.text.data() + (p_ - begin_);
    while (true) {
      if (p_ == end_) return Fail(p_, "the string does not end");
      const char c = *p_;
      if (c == '"') break;
      if (static_cast<unsigned char>(c) < 0x20) return Fail(p_, "a control character in a string");
      if (c != '\\') {
        *out++ = c;
        ++p_;
        continue;
      }
      char32_t rune = 0;
      HONE_RETURN_IF_ERROR(Escape(&rune));
      if (rune < 0x80) {
        *out++ = static_cast<char>(rune);
      } else {
        decoded_.clear();
        AppendRune(rune, &decoded_);
        std::memcpy(out, decoded_.data(), decoded_.size());
        out += decoded_.size();
      }
    }
    *text = {Offset(first), static_cast<std::uint32_t>(out - first)};
    ++p_;
    return OkStatus();
  }

  Status Escape(char32_t* rune) {
    const char* const backslash = p_++;
    if (p_ == end_) return Fail(p_, "the string does not end");
    switch (*p_++) {
      case '"': *rune = '"'; return OkStatus();
      case '\\': *rune = '\\'; return OkStatus();
      case '/': *rune = '/'; return OkStatus();
      case 'b': *rune = '\b'; return OkStatus();
      case 'f': *rune = '\f'; return OkStatus();
      case 'n': *rune = '\n'; return OkStatus();
      case 'r': *rune = '\r'; return OkStatus();
      case 't': *rune = '\t'; return OkStatus();
      case 'u': break;
      default: return Fail(backslash, "unknown escape");
    }
    char32_t unit = 0, low = 0;
    if (!Hex4(&unit)) return Fail(backslash, "expected four hexadecimal digits after \\u");
    *rune = unit;
    if (unit < 0xD800 || unit > 0xDFFF) return OkStatus();
    const bool paired = unit < 0xDC00 && end_ - p_ >= 6 && p_[0] == '\\' && p_[1] == 'u';
    if (paired) p_ += 2;
    if (!paired || !Hex4(&low) || low < 0xDC00 || low > 0xDFFF) {
      return Fail(backslash, "half of a surrogate pair");
    }
    *rune = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    return OkStatus();
  }

  bool Hex4(char32_t* unit) {
    if (end_ - p_ < 4) return false;
    std::uint32_t value = 0;
    const std::from_chars_result result = std::from_chars(p_, p_ + 4, value, 16);
    if (result.ec != std::errc() || result.ptr != p_ + 4) return false;
    *unit = value;
    p_ += 4;
    return true;
  }

  std::uint32_t Offset(const char* p) const { return static_cast<std::uint32_t>(p - begin_); }

  JsonTree& tree_;
  const char* begin_;
  const char* p_;
  const char* end_;
  int depth_ = 0;
  Level levels_[Json::kMaxDepth];
  JsonText key_ = {0, 0};  // of the next value
  std::string decoded_;    // of one escape
};

}  // namespace

Status ParseJson(JsonTree* tree) {
  return Parser(tree).Run();
}

}  // namespace hone::base
