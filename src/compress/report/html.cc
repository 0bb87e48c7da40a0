#include "compress/report/html.h"

#include <cmath>

#include "base/utf8.h"
#include "compress/ladder/evaluate.h"

namespace hone::compress {

using base::Fixed;
using base::StrCat;

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const base::DecodedRune decoded = base::DecodeRune(text, i);
    const std::string_view bytes = text.substr(i, decoded.size);
    i += decoded.size;
    switch (c) {
      case '&': out += "&amp;"; continue;
      case '<': out += "&lt;"; continue;
      case '>': out += "&gt;"; continue;
      case '"': out += "&quot;"; continue;
      case '\'': out += "&#39;"; continue;
      default: break;
    }
    const bool control = static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t';
    if (!decoded.valid || control || c == 0x7f) {
      out += "\xEF\xBF\xBD";
    } else {
      out += bytes;
    }
  }
  return out;
}

std::string EscapeJsonIsland(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (char c : json) {
    // Within JSON these stand in strings alone, where \u means the same.
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

std::string SayMs(double ms) {
  if (!std::isfinite(ms)) return "–";
  const int decimals = ms >= 100 ? 0 : ms >= 10 ? 1 : ms >= 1 ? 2 : 3;
  return StrCat(Fixed(ms, decimals), " ms");
}

std::string SayBytes(std::uint64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (bytes >= 1'000'000'000) return StrCat(Fixed(value / 1e9, 2), " GB");
  if (bytes >= 1'000'000) return StrCat(Fixed(value / 1e6, bytes >= 100'000'000 ? 0 : 1), " MB");
  if (bytes >= 1000) return StrCat(Fixed(value / 1e3, 0), " kB");
  return StrCat(bytes, " B");
}

std::string SayCount(std::uint64_t count) {
  const auto value = static_cast<double>(count);
  if (count >= 1'000'000) return StrCat(Fixed(value / 1e6, count >= 100'000'000 ? 0 : 1), " M");
  if (count >= 10'000) return StrCat(Fixed(value / 1e3, 0), " k");
  return base::WithCommas(count);
}

Points::Points(const LadderReport& ladder)
    : dense(ladder.dense.metric.value), name(ladder.dense.metric.name) {
  // A task that this program does not know: shares of 1 are points of a hundred.
  const auto task = eval::FindTask(ladder.task);
  const bool shares = task.ok() ? PointUnit(**task) < 1 : std::abs(dense) <= 1;
  scale = shares ? 100 : 1;
}

std::string Points::Say(double metric) const {
  return std::isfinite(metric) ? Fixed(Of(metric), 2) : std::string("–");
}

std::string Points::SayDrop(double metric) const {
  const double drop = Of(metric) - Of(dense);
  if (!std::isfinite(drop)) return "–";
  const std::string digits = Fixed(std::abs(drop), 2);
  if (digits == "0.00") return "±0.00";
  return StrCat(drop < 0 ? "−" : "+", digits);
}

std::string Points::SayInterval(const MetricFigure& metric) const {
  return StrCat(Fixed(Of(metric.low), 1), " to ", Fixed(Of(metric.high), 1));
}

}  // namespace hone::compress
