// Putting text together: StrCat("file.json: byte ", offset, ": expected ", name).
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace hone::base {

// One argument of StrCat: text as it is, integers in decimal, floats in six significant digits.
class Piece {
 public:
  Piece(std::string_view text) : text_(text) {}     // NOLINT: conversions are the purpose
  Piece(const std::string& text) : text_(text) {}   // NOLINT
  Piece(const char* text) : text_(text) {}          // NOLINT
  Piece(char c) : buffer_{c}, text_(buffer_, 1) {}  // NOLINT
  Piece(bool) = delete;
  Piece(std::integral auto value) {  // NOLINT
    Set(std::to_chars(buffer_, buffer_ + sizeof buffer_, value));
  }
  Piece(std::floating_point auto value) {  // NOLINT
    Set(std::to_chars(buffer_, buffer_ + sizeof buffer_, static_cast<double>(value),
                      std::chars_format::general, 6));
  }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;

  std::string_view text() const { return text_; }

 private:
  void Set(std::to_chars_result result) {
    text_ = std::string_view(buffer_, static_cast<std::size_t>(result.ptr - buffer_));
  }
  char buffer_[32];
  std::string_view text_;
};

// Grows by doubling, like std::string; pieces may lie in *out.
void AppendPieces(std::string* out, std::initializer_list<std::string_view> pieces);

template <typename... Args>
void StrAppend(std::string* out, const Args&... args) {
  AppendPieces(out, {Piece(args).text()...});
}

template <typename... Args>
[[nodiscard]] std::string StrCat(const Args&... args) {
  std::string out;
  StrAppend(&out, args...);
  return out;
}

// "a, b, c" of any range whose elements StrCat takes.
template <typename Range>
[[nodiscard]] std::string Join(const Range& range, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& element : range) {
    if (!first) out += separator;
    first = false;
    StrAppend(&out, element);
  }
  return out;
}

// A to Z as a to z, all else as it is, whatever the locale.
char AsciiLower(char c);
std::string AsciiLower(std::string_view text);

// `value` with that many digits after the point.
std::string Fixed(double value, int decimals);

// "91,000,312"
std::string WithCommas(std::uint64_t value);

}  // namespace hone::base
