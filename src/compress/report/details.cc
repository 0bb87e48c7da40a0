// The sections about single rungs: shapes, operations, changed answers, and how all was made.
#include <algorithm>

#include "compress/report/html.h"

namespace hone::compress {
namespace {

using base::Fixed;
using base::StrAppend;
using base::StrCat;

std::string SayBlock(int size, const std::string& format, const char* unit) {
  if (size == 0) return "<span class=soft>gone</span>";
  return StrCat(size, " ", unit, format.empty() ? "" : " · ", EscapeHtml(format));
}

// One row a layer, one column a model.
std::string ShapesTable(const LadderReport& ladder) {
  std::string out =
      "<details><summary>Shapes as a table</summary>\n<div class=scroll><table><thead><tr>"
      "<th>Layer<th>dense";
  std::size_t layers = ladder.dense.layers.size();
  for (const LadderRung& rung : ladder.rungs) {
    StrAppend(&out, "<th>", EscapeHtml(rung.path));
    layers = std::max(layers, rung.model.layers.size());
  }
  out += "</tr></thead><tbody>\n";
  const auto cell = [&](const ModelFigures& model, std::size_t layer) {
    out += "<td>";
    if (layer < model.layers.size()) {
      const LayerForm& form = model.layers[layer];
      StrAppend(&out, SayBlock(form.heads, form.attention_format, "heads"), "<br>",
                SayBlock(form.ffn, form.ffn_format, "columns"));
    } else {
      out += "<span class=soft>no such layer</span>";
    }
    out += "</td>";
  };
  for (std::size_t layer = 0; layer < layers; ++layer) {
    StrAppend(&out, "<tr><th scope=row>", layer + 1, "</th>");
    cell(ladder.dense, layer);
    for (const LadderRung& rung : ladder.rungs) cell(rung.model, layer);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></details>\n";
}

// Names in the order in which any model has them first.
std::vector<std::string> OperationNames(const LadderReport& ladder) {
  std::vector<std::string> names;
  const auto collect = [&](const ModelFigures& model) {
    for (const OperationTime& operation : model.operations) {
      if (std::ranges::find(names, operation.name) == names.end()) names.push_back(operation.name);
    }
  };
  collect(ladder.dense);
  for (const LadderRung& rung : ladder.rungs) collect(rung.model);
  return names;
}

std::string OperationsTable(const LadderReport& ladder) {
  std::string out =
      "<details><summary>Times as a table</summary>\n<div class=scroll><table><thead><tr>"
      "<th>Operation<th class=n>dense";
  for (const LadderRung& rung : ladder.rungs) {
    StrAppend(&out, "<th class=n>", EscapeHtml(rung.path));
  }
  out += "</tr></thead><tbody>\n";
  for (const std::string& name : OperationNames(ladder)) {
    StrAppend(&out, "<tr><th scope=row>", EscapeHtml(name), "</th>");
    const auto cell = [&](const ModelFigures& model) {
      const auto found = std::ranges::find(model.operations, name, &OperationTime::name);
      StrAppend(&out, "<td>", found == model.operations.end() ? "–" : SayMs(found->ms), "</td>");
    };
    cell(ladder.dense);
    for (const LadderRung& rung : ladder.rungs) cell(rung.model);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div></details>\n";
}

// "✓ positive" in the colour of right, "✗ negative" in that of wrong; neither where nobody knows.
std::string Answer(const std::string& answer, const std::string& expected) {
  if (expected.empty()) return EscapeHtml(answer);
  const bool right = answer == expected;
  return StrCat("<span class=", right ? "right>✓ " : "wrong>✗ ", EscapeHtml(answer), "</span>");
}

void AppendChanged(const LadderRung& rung, std::size_t examples, bool open, std::string* out) {
  if (rung.changed.empty()) {
    StrAppend(out, "<p><b>", EscapeHtml(rung.path), "</b>: no answer changed.</p>\n");
    return;
  }
  std::size_t worse = 0, better = 0;
  for (const ChangedAnswer& answer : rung.changed) {
    if (answer.expected.empty()) continue;
    worse += answer.dense == answer.expected;
    better += answer.rung == answer.expected;
  }
  const std::size_t count = std::max(rung.changed_count, rung.changed.size());
  StrAppend(out, "<details", open ? " open" : "", "><summary><b>", EscapeHtml(rung.path),
            "</b>: ", base::WithCommas(count), " of ", base::WithCommas(examples),
            " answers changed",
            count > rung.changed.size() ? StrCat(", ", rung.changed.size(), " shown") : "",
            " <span class=soft>(shown: ", worse, " lost, ", better,
            " won)</span></summary>\n<div class=scroll><table class=\"stack texts\"><thead><tr>"
            "<th>Text<th>Expected<th>Dense<th>Rung</tr></thead><tbody>\n");
  for (const ChangedAnswer& answer : rung.changed) {
    StrAppend(out, "<tr><td data-label=Text>", EscapeHtml(answer.text),
              "</td><td data-label=Expected>", EscapeHtml(answer.expected),
              "</td><td data-label=Dense>", Answer(answer.dense, answer.expected),
              "</td><td data-label=Rung>", Answer(answer.rung, answer.expected), "</td></tr>\n");
  }
  *out += "</tbody></table></div></details>\n";
}

}  // namespace

std::string ShapesSection(const LadderReport& ladder) {
  if (ladder.dense.layers.empty() || ladder.rungs.empty()) return {};
  std::string out =
      "<section><h2>What is left of each layer</h2>\n<p>Attention heads to the left, feed-forward "
      "columns to the right; the pale bar is the dense model. What is gone is not stored and not "
      "computed.</p>\n<p class=key><span><i class=heads></i>heads</span><span><i "
      "class=columns></i>feed-forward "
      "columns</span></p>\n";
  const std::size_t count = ladder.rungs.size();
  out += count <= 2 || count == 4 ? "<div class=\"grid two\">\n" : "<div class=grid>\n";
  const int width = ladder.dense.width;
  for (std::size_t r = 0; r < ladder.rungs.size(); ++r) {
    const LadderRung& rung = ladder.rungs[r];
    const ModelFigures& model = rung.model;
    const std::size_t rows = std::max(model.layers.size(), ladder.dense.layers.size());
    StrAppend(&out, "<figure><figcaption><b>", EscapeHtml(rung.path), "</b> <span class=soft>",
              SayCount(model.parameters), " parameters, ", EscapeHtml(model.format));
    if (width > 0 && model.width > 0 && model.width != width) {
      StrAppend(&out, ", width ", width, " → ", model.width);
    }
    // 24 pixels a layer, so that a deep model's rows stay as high as a shallow one's.
    StrAppend(&out, "</span></figcaption><div class=plot style=\"height:", rows * 24 + 16,
              "px\"><canvas id=shape", r,
              " role=img aria-label=\"Heads and columns of each layer of ", EscapeHtml(rung.path),
              "; the table below has the figures\"></canvas></div></figure>\n");
  }
  return StrCat(out, "</div>\n", ShapesTable(ladder), "</section>\n");
}

std::string OperationsSection(const LadderReport& ladder) {
  if (OperationNames(ladder).empty()) return {};
  const std::size_t height = (ladder.rungs.size() + 1) * 40 + 60;
  const auto plot = [&](const char* id, const char* caption) {
    return StrCat("<figure><figcaption>", caption,
                  "</figcaption><div class=plot style=\"height:", height, "px\"><canvas id=", id,
                  " role=img aria-label=\"", caption,
                  "; the table below has the figures\"></canvas></div></figure>\n");
  };
  return StrCat(
      "<section><h2>Where the time goes</h2>\n<p>By operation, one forward pass, all layers and "
      "all "
      "threads together.</p>\n<div class=pair>\n",
      plot("operations", "Milliseconds"), plot("shares", "Share of the pass"),
      "</div>\n<div id=oplegend class=key></div>\n", OperationsTable(ladder), "</section>\n");
}

std::string ChangedSection(const LadderReport& ladder) {
  if (ladder.rungs.empty()) return {};
  std::string out =
      "<section><h2>Answers that changed</h2>\n<p>Examples of the dev file that a rung answers "
      "differently from the dense model, for better and for worse.</p>\n";
  for (std::size_t r = 0; r < ladder.rungs.size(); ++r) {
    AppendChanged(ladder.rungs[r], ladder.dev_examples, r + 1 == ladder.rungs.size(), &out);
  }
  return out + "</section>\n";
}

std::string HowSection(const LadderReport& ladder) {
  const LadderDevice& device = ladder.device;
  std::string out = StrCat(
      "<section><h2>How it was made</h2>\n<dl>\n<dt>Device<dd>", EscapeHtml(device.processor), ", ",
      EscapeHtml(device.isa), ", ", device.threads, device.threads == 1 ? " thread" : " threads",
      device.predicted ? " (another device: latencies are predictions from its profile)" : "",
      "\n<dt>Texts timed<dd>batch of ", device.batch, ", ", Fixed(device.tokens_mean, 1),
      " tokens on average, ", device.tokens_low, " to ", device.tokens_high, "\n<dt>Source<dd>",
      EscapeHtml(ladder.source), "\n<dt>Task<dd>", EscapeHtml(ladder.task), "\n<dt>Made with<dd>",
      EscapeHtml(ladder.tool), "\n</dl>\n");
  std::vector<std::string> shown;
  for (const LadderRung& rung : ladder.rungs) {
    if (rung.recipe_text.empty() || std::ranges::count(shown, rung.recipe_text) > 0) continue;
    shown.push_back(rung.recipe_text);
    StrAppend(&out, "<details><summary>Recipe <b>", EscapeHtml(rung.recipe),
              "</b></summary>\n<pre>", EscapeHtml(rung.recipe_text), "</pre></details>\n");
  }
  return out + "</section>\n";
}

}  // namespace hone::compress
