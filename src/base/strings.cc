#include "base/strings.h"

#include <cstdio>

namespace hone::base {

void AppendPieces(std::string* out, std::initializer_list<std::string_view> pieces) {
  std::size_t size = out->size();
  for (const std::string_view piece : pieces) size += piece.size();
  out->reserve(size);
  for (const std::string_view piece : pieces) out->append(piece);
}

std::string Fixed(double value, int decimals) {
  char buffer[64];
  const int size = std::snprintf(buffer, sizeof buffer, "%.*f", decimals, value);
  if (size < static_cast<int>(sizeof buffer))
    return std::string(buffer, static_cast<std::size_t>(size));
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
