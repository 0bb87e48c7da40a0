#include "base/strings.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

namespace hone::base {

void AppendPieces(std::string* out, std::initializer_list<std::string_view> pieces) {
  std::size_t size = out->size();
  for (const std::string_view piece : pieces) size += piece.size();
  if (size > out->capacity()) {
    // A piece may be part of *out itself: the old text must outlive the copying.
    std::string grown;
    grown.reserve(std::max(size, 2 * out->capacity()));
    grown.append(*out);
    for (const std::string_view piece : pieces) grown.append(piece);
    *out = std::move(grown);
    return;
  }
  for (const std::string_view piece : pieces) out->append(piece);
}

char AsciiLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string AsciiLower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = AsciiLower(c);
  return out;
}

std::string Fixed(double value, int decimals) {
  char buffer[64];
  // A quarter of snprintf's time, and the same digits: both round exactly.
  const std::to_chars_result result =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, decimals);
  if (result.ec == std::errc()) return std::string(buffer, result.ptr);
  const int size = std::snprintf(nullptr, 0, "%.*f", decimals, value);
  std::string text(static_cast<std::size_t>(size), '\0');
  std::snprintf(text.data(), text.size() + 1, "%.*f", decimals, value);
  return text;
}

std::string WithCommas(std::uint64_t value) {
  std::string digits = StrCat(value);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

}  // namespace hone::base
