// Pieces of the report's HTML.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "compress/ladder/ladder.h"

namespace hone::compress {

// Safe as text and in quoted attributes; control characters and invalid UTF-8 become U+FFFD.
std::string EscapeHtml(std::string_view text);
// JSON as it may stand in a script element: no "<" is left that could end it.
std::string EscapeJsonIsland(std::string_view json);

std::string SayMs(double ms);               // "0.241 ms"
std::string SayBytes(std::uint64_t bytes);  // "5.2 MB"
std::string SayCount(std::uint64_t count);  // "22.7 M"

// Metrics as people say them: in points, whatever the unit they are kept in.
struct Points {
  explicit Points(const LadderReport& ladder);
  double Of(double metric) const { return metric * scale; }
  std::string Say(double metric) const;                       // "91.28"
  std::string SayDrop(double metric) const;                   // "−0.46" against the dense model
  std::string SayInterval(const MetricFigure& metric) const;  // "89.3 to 93.1"

  double scale = 1;
  double dense = 0;
  std::string name;  // "accuracy"
};

// The figures that the plots are drawn from, as JSON.
std::string FiguresJson(const LadderReport& ladder);

// Sections of the page, in its order.
std::string SummarySection(const LadderReport& ladder);
std::string TradeOffSection(const LadderReport& ladder);
std::string SearchSection(const LadderReport& ladder);
std::string ShapesSection(const LadderReport& ladder);
std::string OperationsSection(const LadderReport& ladder);
std::string ChangedSection(const LadderReport& ladder);
std::string HowSection(const LadderReport& ladder);

}  // namespace hone::compress
