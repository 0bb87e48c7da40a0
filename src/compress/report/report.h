// OUT/report.html: a ladder to look at. One file that loads nothing: style, plots (Chart.js, taken
// from the distribution's package when Hone is built) and figures are all inside.
//
//   HONE_RETURN_IF_ERROR(env::WriteFile(files, "out/report.html", RenderReport(ladder)));
//
// Every figure also stands in a table, which is made here and needs no script. Texts of the data are
// escaped wherever they stand, so that no example can become markup or script.
#pragma once

#include <string>

#include "compress/ladder/ladder.h"

namespace hone::compress {

inline constexpr const char* kReportFile = "report.html";

std::string RenderReport(const LadderReport& ladder);

}  // namespace hone::compress
