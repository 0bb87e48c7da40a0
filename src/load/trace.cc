// ParseTrace of arrivals.h.
#include <charconv>
#include <limits>
#include <optional>

#include "load/arrivals.h"

namespace hone::load {
namespace {

constexpr int kFirstYear = 1970, kLastYear = 2200;           // in nanoseconds within 63 bits
constexpr std::int64_t kMaxSeconds = 7'258'118'400;          // the beginning of 2200
constexpr std::string_view kTokensColumn = "ContextTokens";  // Azure's name

// The next line of `rest`, without its end.
std::string_view TakeLine(std::string_view* rest) {
  const std::size_t end = rest->find('\n');
  std::string_view line = rest->substr(0, end);
  *rest = end == std::string_view::npos ? std::string_view() : rest->substr(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The field of that number of a line; empty where the line has fewer.
std::string_view Field(std::string_view line, int index) {
  for (; index > 0; --index) {
    const std::size_t comma = line.find(',');
    if (comma == std::string_view::npos) return {};
    line = line.substr(comma + 1);
  }
  return line.substr(0, line.find(','));
}

int TokensColumn(std::string_view header) {
  for (int index = 0;; ++index) {
    if (Field(header, 0) == kTokensColumn) return index;
    const std::size_t comma = header.find(',');
    if (comma == std::string_view::npos) return -1;
    header = header.substr(comma + 1);
  }
}

// Decimal digits only, all of `text`, at most `limit`.
std::optional<std::int64_t> Whole(std::string_view text, std::int64_t limit) {
  std::int64_t value = 0;
  if (text.empty() || text[0] == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > limit)
    return std::nullopt;
  return value;
}

// "12.345", at most `limit` whole seconds; digits beyond nanoseconds are dropped.
std::optional<base::TimeNs> Seconds(std::string_view text, std::int64_t limit) {
  const std::size_t point = text.find('.');
  const std::optional<std::int64_t> whole = Whole(text.substr(0, point), limit);
  if (!whole) return std::nullopt;
  base::TimeNs fraction = 0;
  if (point != std::string_view::npos) {
    base::TimeNs unit = base::kSecondNs;
    for (const char c : text.substr(point + 1)) {
      if (c < '0' || c > '9') return std::nullopt;
      unit /= 10;
      fraction += unit * (c - '0');
    }
  }
  return *whole * base::kSecondNs + fraction;
}

bool IsLeap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// Days since 1970-01-01 in the Gregorian calendar; nothing where there is no such day.
std::optional<std::int64_t> Days(int year, int month, int day) {
  constexpr int kLengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < kFirstYear || year >= kLastYear || month < 1 || month > 12 || day < 1) {
    return std::nullopt;
  }
  const auto length = [&](int m) { return kLengths[m - 1] + (m == 2 && IsLeap(year) ? 1 : 0); };
  if (day > length(month)) return std::nullopt;
  std::int64_t days = day - 1;
  for (int y = kFirstYear; y < year; ++y) days += IsLeap(y) ? 366 : 365;
  for (int m = 1; m < month; ++m) days += length(m);
  return days;
}

// "2023-11-16 18:17:03.9799600", a T for the blank, a Z behind it; or seconds.
std::optional<base::TimeNs> Moment(std::string_view text) {
  if (text.size() < 19 || text[4] != '-') return Seconds(text, kMaxSeconds);
  if (text.ends_with('Z')) text.remove_suffix(1);
  if (text.size() < 19 || text[7] != '-' || (text[10] != ' ' && text[10] != 'T') ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto year = Whole(text.substr(0, 4), 9999), month = Whole(text.substr(5, 2), 12),
             day = Whole(text.substr(8, 2), 31), hour = Whole(text.substr(11, 2), 23),
             minute = Whole(text.substr(14, 2), 59);
  const auto second = Seconds(text.substr(17), 60);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const auto days = Days(static_cast<int>(*year), static_cast<int>(*month), static_cast<int>(*day));
  if (!days) return std::nullopt;
  return ((*days * 24 + *hour) * 60 + *minute) * 60 * base::kSecondNs + *second;
}

}  // namespace

base::StatusOr<std::vector<Arrival>> ParseTrace(std::string_view csv, const std::string& path) {
  const int tokens_column = TokensColumn(TakeLine(&csv));
  std::vector<Arrival> arrivals;
  base::TimeNs first = 0;
  for (int number = 2; !csv.empty(); ++number) {
    const std::string_view line = TakeLine(&csv);
    if (line.empty()) continue;
    const std::string_view field = Field(line, 0);
    const std::optional<base::TimeNs> moment = Moment(field);
    if (!moment) {
      return base::BadInput(path, ":", number, ": \"", field.substr(0, 40),
                            "\" is not a moment such as 2023-11-16 18:17:03.97, nor seconds");
    }
    if (arrivals.empty()) first = *moment;
    Arrival arrival{.at = *moment - first};
    if (arrival.at < (arrivals.empty() ? 0 : arrivals.back().at)) {
      return base::BadInput(path, ":", number, ": ", field, " is before the line above");
    }
    if (tokens_column >= 0) {
      const std::string_view cell = Field(line, tokens_column);
      const auto tokens = Whole(cell, std::numeric_limits<int>::max());
      if (!tokens) {
        return base::BadInput(path, ":", number, ": ", kTokensColumn, " \"", cell.substr(0, 40),
                              "\" is not a number of tokens");
      }
      arrival.tokens = static_cast<int>(*tokens);
    }
    arrivals.push_back(arrival);
  }
  if (arrivals.empty()) return base::BadInput(path, ": no line after the header");
  return arrivals;
}

}  // namespace hone::load
