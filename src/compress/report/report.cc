#include "compress/report/report.h"

#include "compress/report/embedded.h"
#include "compress/report/html.h"

namespace hone::compress {

using base::StrCat;

std::string RenderReport(const LadderReport& ladder) {
  const std::string title = StrCat("Ladder for ", EscapeHtml(ladder.task));
  // The policy forbids every load and connection, so that even a mistake here could not make one.
  std::string page = StrCat(
      "<!DOCTYPE html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n"
      "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=viewport content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=color-scheme content=\"light dark\">\n<title>",
      title, "</title>\n<style>\n", ReportStyle(), "</style>\n</head>\n<body>\n<header><h1>", title,
      "</h1>\n<p>", EscapeHtml(ladder.source), " on ", EscapeHtml(ladder.device.processor), ", ",
      EscapeHtml(ladder.device.isa), ", ", ladder.device.threads,
      ladder.device.threads == 1 ? " thread" : " threads", ", batch ", ladder.device.batch, ", ",
      base::Fixed(ladder.device.tokens_mean, 0), " tokens on average</p>\n");
  if (ladder.device.predicted) {
    page +=
        "<p class=notice>Latencies are predictions for another device: nothing here ran on it. "
        "<code>hone verify</code> measures there.</p>\n";
  }
  page += "</header>\n<main>\n";
  for (const auto section : {SummarySection, TradeOffSection, ShapesSection, OperationsSection,
                             ChangedSection, SearchSection, HowSection}) {
    page += section(ladder);
  }
  return StrCat(page,
                "</main>\n<footer>\n<p>Every file's hash is in hone.json; <code>hone verify</code> "
                "checks them and measures again.</p>\n<details><summary>Plots by Chart.js: licence"
                "</summary>\n<pre>",
                EscapeHtml(PlotLicence()),
                "</pre></details>\n</footer>\n<script type=\"application/json\" id=figures>",
                FiguresJson(ladder), "</script>\n<script>\n", PlotLibrary(),
                "\n</script>\n<script>\n", ReportScript(), "</script>\n</body>\n</html>\n");
}

}  // namespace hone::compress
