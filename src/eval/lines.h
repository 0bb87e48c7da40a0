// The lines of a text, numbered from 1: "\n" or "\r\n" ends one, a byte-order mark is not text.
#pragma once

#include <string_view>

namespace hone::eval {

class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
  }

  // The next line into *line, or false at the end. Text after the last "\n" is a line if not empty.
  bool Next(std::string_view* line) {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    *line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    if (line->ends_with('\r')) line->remove_suffix(1);
    ++number_;
    return true;
  }

  int number() const { return number_; }  // of the line that Next gave

 private:
  std::string_view rest_;
  int number_ = 0;
};

}  // namespace hone::eval
