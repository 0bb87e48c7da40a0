// The sections about the ladder as a whole: the summary, the trade-offs, the search.
#include <cmath>

#include "compress/report/html.h"

namespace hone::compress {
namespace {

using base::Fixed;
using base::StrAppend;
using base::StrCat;

std::string SayTarget(const LadderTarget& target) {
  if (target.speedup > 0) return StrCat(Fixed(target.speedup, target.speedup < 10 ? 1 : 0), "×");
  if (target.latency_ms > 0) return SayMs(target.latency_ms);
  if (target.max_drop > 0) return StrCat("drop ≤ ", Fixed(target.max_drop, 1));
  return "–";
}

void AppendRow(const std::string& name, const std::string& target, double speedup,
               const ModelFigures& model, const Points& points, std::string* out) {
  StrAppend(out, "<tr><th scope=row>", EscapeHtml(name), "</th><td data-label=Target>", target,
            "</td><td data-label=Speed-up><b>", Fixed(speedup, speedup < 10 ? 2 : 1),
            "×</b></td><td data-label=p50>", SayMs(model.latency.p50_ms),
            "</td><td data-label=p95>", SayMs(model.latency.p95_ms), "</td><td data-label=p99>",
            SayMs(model.latency.p99_ms), "</td><td data-label=\"", EscapeHtml(points.name),
            "\"><span><b>", points.Say(model.metric.value), "</b> <span class=soft>",
            points.SayInterval(model.metric), "</span></span></td><td data-label=Change>",
            points.SayDrop(model.metric.value), "</td><td data-label=Size>",
            SayBytes(model.size_bytes), "</td><td data-label=Parameters>",
            SayCount(model.parameters), "</td><td data-label=Format>", EscapeHtml(model.format),
            "</td></tr>\n");
}

// The name people know a stage of the work by.
std::string_view SayStage(const LadderPoint& point) {
  if (point.stage == "search") return "candidate of the search";
  if (point.stage == "prune") return "after pruning";
  if (point.stage == "distill") return "after training";
  if (point.stage == "rung") return "measured for a rung";
  return point.stage;
}

// Every point that was measured, folded up: there may be thousands.
std::string PointsTable(const LadderReport& ladder, const Points& points) {
  std::string out = StrCat("<details><summary>All ", ladder.points.size(),
                           " points as a table</summary>\n<div class=scroll><table "
                           "class=points><thead><tr><th>What<th>Rung"
                           "<th class=n>p50<th class=n>",
                           EscapeHtml(points.name), "<th class=n>Calibration loss<th class=n>Size",
                           "</tr></thead><tbody>\n");
  for (const LadderPoint& point : ladder.points) {
    StrAppend(&out, "<tr><td>", EscapeHtml(SayStage(point)), "</td><td>", EscapeHtml(point.rung),
              "</td><td>", SayMs(point.latency_ms), point.predicted ? " (predicted)" : "",
              "</td><td>", points.Say(point.metric), "</td><td>",
              std::isfinite(point.loss) ? Fixed(point.loss, 4) : std::string("–"), "</td><td>",
              point.size_bytes > 0 ? SayBytes(point.size_bytes) : std::string("–"), "</td></tr>\n");
  }
  return out + "</tbody></table></div></details>\n";
}

}  // namespace

std::string SummarySection(const LadderReport& ladder) {
  const Points points(ladder);
  std::string out = "<section aria-label=Rungs><div class=cards>\n";
  for (const LadderRung& rung : ladder.rungs) {
    const ModelFigures& model = rung.model;
    StrAppend(&out, "<div class=card><div class=name>", EscapeHtml(rung.path),
              "</div><div class=big>", Fixed(rung.speedup, rung.speedup < 100 ? 1 : 0),
              "<small>× faster</small></div><div>", points.Say(model.metric.value), " ",
              EscapeHtml(points.name), " <span class=soft>(", points.SayDrop(model.metric.value),
              ")</span></div><div>", SayMs(model.latency.p50_ms), " · ", SayBytes(model.size_bytes),
              "</div></div>\n");
  }
  out += "</div></section>\n<section><h2>The ladder</h2>\n";
  StrAppend(&out, "<p>Measured on ", base::WithCommas(ladder.dev_examples),
            " dev examples: ", EscapeHtml(points.name),
            " in points, with the interval that holds it with 95 % confidence "
            "(bootstrap). Speed-up, latency and change are against the dense model in f32, ");
  out += ladder.device.predicted ? "predicted for another device from its profile.</p>\n"
                                 : "measured in turn on the same device.</p>\n";
  StrAppend(&out,
            "<div class=scroll><table class=stack><thead><tr><th>Rung<th class=n>Target"
            "<th class=n>Speed-up<th class=n>p50<th class=n>p95<th class=n>p99<th class=n>",
            EscapeHtml(points.name),
            "<th class=n>Change<th class=n>Size<th class=n>Parameters<th class=n>Format</tr>"
            "</thead><tbody>\n");
  AppendRow("dense", "–", 1, ladder.dense, points, &out);
  for (const LadderRung& rung : ladder.rungs) {
    AppendRow(rung.path, SayTarget(rung.target), rung.speedup, rung.model, points, &out);
  }
  return out + "</tbody></table></div></section>\n";
}

std::string TradeOffSection(const LadderReport& ladder) {
  const Points points(ladder);
  const std::string name = EscapeHtml(points.name);
  std::string out = StrCat(
      "<section><h2>What speed and size cost</h2>\n<p>Up and to the left is better. The line is "
      "the "
      "frontier: the best ",
      name,
      " that anything measured reached within that latency or size. Bars are 95 % intervals; "
      "the dashed line is the dense model; what fell far below stands on the lower edge as "
      "▾.</p>\n<div class=pair>\n<figure><figcaption>",
      name,
      " against latency</figcaption><div class=plot><canvas id=latency role=img aria-label=\"",
      name,
      " against latency; the table below has the figures\"></canvas></div></figure>\n"
      "<figure><figcaption>",
      name, " against size</figcaption><div class=plot><canvas id=size role=img aria-label=\"",
      name, " against size; the table below has the figures\"></canvas></div></figure>\n</div>\n");
  if (!ladder.points.empty()) out += PointsTable(ladder, points);
  return out + "</section>\n";
}

std::string SearchSection(const LadderReport& ladder) {
  std::size_t searched = 0;
  for (const LadderPoint& point : ladder.points) {
    if (point.stage == "search" && std::isfinite(point.loss)) ++searched;
  }
  if (searched == 0) return {};
  return StrCat(
      "<section><h2>What the search tried</h2>\n<p>", searched,
      " mixtures of heads, widths and formats, each of which meets its rung's latency. A dot is "
      "the "
      "calibration loss of one, in the order they were tried; the line is the best so far. The "
      "figures are in the table above.</p>\n<figure><div class=plot><canvas id=search role=img "
      "aria-label=\"Calibration loss of every candidate in the order tried\"></canvas></div>"
      "</figure></section>\n");
}

}  // namespace hone::compress
