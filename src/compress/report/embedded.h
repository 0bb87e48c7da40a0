// Files that CMake put into the program (hone_report_plots in cmake/Hone.cmake).
#pragma once

#include <string_view>

namespace hone::compress {

std::string_view PlotLibrary();   // Chart.js, minified
std::string_view PlotLicence();   // its copyright file
std::string_view ReportStyle();   // report.css
std::string_view ReportScript();  // report.js

}  // namespace hone::compress
