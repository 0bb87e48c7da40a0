#include "base/quantities.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>

namespace hone::base {
namespace {

// Takes a number off the front of `text`; nothing where there is none.
std::optional<double> TakeNumber(std::string_view* text) {
  double value = 0;
  const char* const end = text->data() + text->size();
  const auto [rest, error] = std::from_chars(text->data(), end, value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text->remove_prefix(static_cast<std::size_t>(rest - text->data()));
  return value;
}

struct Unit {
  std::string_view name;
  double scale;
};

constexpr double kKi = 1024, kMi = 1024 * kKi, kGi = 1024 * kMi, kTi = 1024 * kGi;
constexpr double kMaxBytes = kMi * kTi;
constexpr Unit kByteUnits[] = {{"", 1},      {"B", 1},     {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9},
                               {"TB", 1e12}, {"K", kKi},   {"M", kMi},  {"G", kGi},  {"KiB", kKi},
                               {"MiB", kMi}, {"GiB", kGi}, {"TiB", kTi}};
constexpr Unit kTimeUnits[] = {{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
constexpr double kMaxNs = 366.0 * 24 * 3600e9;

template <std::size_t N>
std::optional<double> ScaleOf(std::string_view unit, const Unit (&units)[N]) {
  for (const Unit& known : units) {
    if (unit == known.name) return known.scale;
  }
  return std::nullopt;
}

std::optional<double> Nanoseconds(std::string_view text, BareNumber bare) {
  double sum = 0;
  for (bool first = true; first || !text.empty(); first = false) {
    const std::optional<double> number = TakeNumber(&text);
    if (!number || !(*number >= 0)) return std::nullopt;
    if (text.empty() && first && bare != BareNumber::kRefused) {
      return *number * (bare == BareNumber::kSeconds ? 1e9 : 1e6);
    }
    const std::string_view unit = text.substr(0, text.find_first_of("0123456789."));
    const std::optional<double> scale = ScaleOf(unit, kTimeUnits);
    if (!scale) return std::nullopt;
    text.remove_prefix(unit.size());
    sum += *number * *scale;
  }
  return sum;
}

}  // namespace

StatusOr<std::uint64_t> ParseBytes(std::string_view text) {
  std::string_view unit = text;
  const std::optional<double> number = TakeNumber(&unit);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  const std::optional<double> scale = ScaleOf(unit, kByteUnits);
  const double bytes = number && scale ? *number * *scale : 0;
  // Written so that NaN is refused too.
  if (!(bytes >= 1) || !(bytes < kMaxBytes)) {
    return BadInput("\"", text, "\": expected a size such as 512MiB");
  }
  return static_cast<std::uint64_t>(bytes);
}

StatusOr<TimeNs> ParseDuration(std::string_view text, BareNumber bare) {
  const std::optional<double> ns = Nanoseconds(text, bare);
  if (!ns || !(*ns >= 1)) {
    return BadInput("\"", text, "\" is no duration; they look like 500us, 20ms, 30s, 2m or 1h30m");
  }
  if (!(*ns <= kMaxNs)) return BadInput("\"", text, "\" is more than a year");
  return std::llround(*ns);
}

}  // namespace hone::base
