#include "base/quantities.h"

#include <charconv>
#include <initializer_list>
#include <optional>
#include <utility>

namespace hone::base {
namespace {

using Units = std::initializer_list<std::pair<std::string_view, double>>;

// The number times its unit; nothing where `text` is no such thing.
std::optional<double> Parse(std::string_view text, const Units& units) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const auto& [name, scale] : units) {
    if (unit == name) return value * scale;
  }
  return std::nullopt;
}

constexpr double kKi = 1024;
constexpr double kMaxBytes = kKi * kKi * kKi * kKi * kKi * kKi;
constexpr double kMaxMs = 24 * 3600e3;

}  // namespace

StatusOr<std::uint64_t> ParseBytes(std::string_view text) {
  const auto value = Parse(text, {{"", 1},
                                  {"B", 1},
                                  {"KB", 1e3},
                                  {"MB", 1e6},
                                  {"GB", 1e9},
                                  {"TB", 1e12},
                                  {"K", kKi},
                                  {"M", kKi * kKi},
                                  {"G", kKi * kKi * kKi},
                                  {"KiB", kKi},
                                  {"MiB", kKi * kKi},
                                  {"GiB", kKi * kKi * kKi},
                                  {"TiB", kKi * kKi * kKi * kKi}});
  // Written so that NaN is refused too.
  if (!value || !(*value >= 1) || !(*value < kMaxBytes)) {
    return BadInput("\"", text, "\": expected a size such as 512MiB");
  }
  return static_cast<std::uint64_t>(*value);
}

StatusOr<double> ParseDurationMs(std::string_view text) {
  const auto value =
      Parse(text, {{"", 1}, {"ms", 1}, {"us", 1e-3}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}});
  if (!value || !(*value > 0) || !(*value <= kMaxMs)) {
    return BadInput("\"", text, "\": expected a time such as 20ms, 30s or 10m, at most 24h");
  }
  return *value;
}

}  // namespace hone::base
