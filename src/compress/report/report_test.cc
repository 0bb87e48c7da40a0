#include "compress/report/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/json.h"
#include "compress/report/embedded.h"
#include "compress/report/html.h"

namespace hone::compress {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kHostile =
    "</script><script>alert(1)</script>\" onload='x' <!-- \x01\xff &";

ModelFigures Figures(int layers, double ms, double metric) {
  ModelFigures model;
  model.format = "int8";
  model.latency = {ms, ms * 2, ms * 3};
  model.metric = {"accuracy", metric, metric - 0.02, metric + 0.02};
  model.parameters = 22713218;
  model.size_bytes = 23456789;
  model.width = 384;
  for (int i = 0; i < layers; ++i)
    model.layers.push_back({12 - i, i == 2 ? 0 : 1536, "int8", "int4"});
  model.operations = {{"qkv", ms / 2}, {"up", ms / 2}};
  return model;
}

LadderReport Ladder() {
  LadderReport ladder;
  ladder.tool = "hone 0.1.0";
  ladder.task = "sst2";
  ladder.source = "minilm";
  ladder.device = {.processor = "A processor",
                   .isa = "avx2",
                   .threads = 2,
                   .batch = 1,
                   .tokens_mean = 25.2,
                   .tokens_low = 4,
                   .tokens_high = 66,
                   .predicted = false};
  ladder.dev_examples = 872;
  ladder.dense = Figures(6, 2.61, 0.9083);
  for (const char* path : {"2x", "8x"}) {
    LadderRung rung;
    rung.path = path;
    rung.recipe = "balanced";
    rung.recipe_text = "stages:\n- quantize:\n";
    rung.speedup = path[0] - '0';
    rung.target.speedup = rung.speedup;
    rung.model = Figures(6, 2.61 / rung.speedup, 0.91 - 0.002 * rung.speedup);
    rung.changed = {{"a text", "positive", "positive", "negative"}};
    rung.changed_count = 123;
    ladder.rungs.push_back(rung);
  }
  ladder.points = {{.stage = "search",
                    .rung = "2x",
                    .latency_ms = 1.3,
                    .predicted = true,
                    .metric = NAN,
                    .loss = 0.25,
                    .size_bytes = 0},
                   {.stage = "distill",
                    .rung = "2x",
                    .latency_ms = 1.3,
                    .predicted = false,
                    .metric = 0.905,
                    .loss = NAN,
                    .size_bytes = 60000000}};
  return ladder;
}

std::string Between(const std::string& text, std::string_view open, std::string_view close) {
  const std::size_t begin = text.find(open);
  if (begin == std::string::npos) return {};
  const std::size_t end = text.find(close, begin + open.size());
  return text.substr(begin + open.size(), end - begin - open.size());
}

// The page without the contents of script, style and pre elements, which hold others' text.
std::string Markup(std::string page) {
  for (const char* name : {"script", "style", "pre"}) {
    std::size_t at = 0;
    while ((at = page.find(base::StrCat("<", name), at)) != std::string::npos) {
      const std::size_t begin = page.find('>', at) + 1;
      page.erase(begin, page.find(base::StrCat("</", name), begin) - begin);
      at = begin;
    }
  }
  return page;
}

std::size_t Count(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

TEST(Report, HasEverySectionWithItsFigures) {
  const std::string page = RenderReport(Ladder());
  for (const char* part : {"The ladder",
                           "What speed and size cost",
                           "What is left of each layer",
                           "Where the time goes",
                           "Answers that changed",
                           "What the search tried",
                           "How it was made",
                           "id=latency",
                           "id=size",
                           "id=shape0",
                           "id=shape1",
                           "id=operations",
                           "id=shares",
                           "id=search",
                           "90.83",
                           "88.8 to 92.8",
                           "−1.43",
                           "8.00×",
                           "1.30 ms",
                           "23.5 MB",
                           "22.7 M",
                           "123 of 872",
                           "✓ positive",
                           "✗ negative",
                           "A processor, avx2, 2 threads",
                           "4 to 66",
                           "1536 columns · int4",
                           "gone",
                           "1.30 ms (predicted)",
                           "0.2500",
                           "- quantize:"}) {
    EXPECT_THAT(page, HasSubstr(part));
  }
  EXPECT_EQ(Count(page, "- quantize:"), 1U);  // one recipe of two rungs
}

TEST(Report, LoadsNothing) {
  const std::string page = RenderReport(Ladder());
  EXPECT_THAT(page, HasSubstr("Content-Security-Policy content=\"default-src 'none'"));
  const std::string markup = Markup(page);
  for (const char* load : {"://", " src=", "<link", "<img", "<iframe", "url("}) {
    EXPECT_THAT(markup, Not(HasSubstr(load)));
  }
  for (const char* load : {"://", "url(", "@import", "fetch(", "import(", "XMLHttpRequest"}) {
    EXPECT_EQ(ReportStyle().find(load), std::string_view::npos) << load;
    EXPECT_EQ(ReportScript().find(load), std::string_view::npos) << load;
  }
  EXPECT_THAT(std::string(PlotLibrary()), HasSubstr("Chart.js v"));
  EXPECT_THAT(page, HasSubstr("Permission is hereby granted"));
  for (std::string_view script : {PlotLibrary(), ReportScript()}) {
    EXPECT_EQ(script.find("</script"), std::string_view::npos);
    EXPECT_EQ(script.find("<!--"), std::string_view::npos);
  }
}

TEST(Report, EscapesTextsWhereverTheyStand) {
  LadderReport ladder = Ladder();
  const std::string plain = Markup(RenderReport(ladder));
  const std::string hostile(kHostile);
  ladder.tool = ladder.task = ladder.source = hostile;
  ladder.device.processor = ladder.device.isa = hostile;
  for (ModelFigures* model : {&ladder.dense, &ladder.rungs[0].model}) {
    model->format = model->metric.name = hostile;
    model->layers[0].attention_format = model->layers[0].ffn_format = hostile;
    model->operations[0].name = hostile;
  }
  LadderRung& rung = ladder.rungs[0];
  rung.path = rung.recipe = rung.recipe_text = hostile;
  rung.changed[0] = {hostile, hostile, hostile, hostile};
  for (LadderPoint& point : ladder.points) point.rung = point.stage = hostile;
  const std::string page = RenderReport(ladder);
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
  EXPECT_THAT(page, Not(HasSubstr("\x01")));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
  // No more elements than without: nothing of the text became one. The search's section goes with
  // its stage's name.
  EXPECT_EQ(Count(page, "<script"), 3U);
  EXPECT_EQ(Count(page, "</script>"), 3U);
  EXPECT_LE(Count(Markup(page), "<"), Count(plain, "<") + 6);  // one operation and one name more
}

TEST(Report, KeepsItsFiguresAsJson) {
  LadderReport ladder = Ladder();
  ladder.rungs[1].path = kHostile;
  const std::string page = RenderReport(ladder);
  const std::string island =
      Between(page, "<script type=\"application/json\" id=figures>", "</script>");
  const auto json = base::Json::Parse(island, "figures");
  ASSERT_TRUE(json.ok()) << json.status();
  const base::JsonValue root = json->root();
  EXPECT_NEAR(root.Get("dense")->Get("metric")->Double().value(), 90.83, 1e-6);
  ASSERT_EQ(root.Get("rungs")->size(), 2);
  EXPECT_THAT(std::string(*root.Get("rungs")->At(1)->Get("name")->String()),
              HasSubstr("</script>"));
  EXPECT_EQ(root.Get("rungs")->At(0)->Get("layers")->size(), 6);
  ASSERT_EQ(root.Get("points")->size(), 2);
  EXPECT_TRUE(root.Get("points")->At(0)->Get("metric")->IsNull());  // NaN
}

// Every element that is opened is closed in order (those that HTML closes itself aside).
TEST(Report, ClosesWhatItOpens) {
  const std::string markup = Markup(RenderReport(Ladder()));
  std::vector<std::string> open;
  for (std::size_t at = 0; (at = markup.find('<', at)) != std::string::npos; ++at) {
    const bool closing = markup[at + 1] == '/';
    const std::size_t begin = at + 1 + (closing ? 1 : 0);
    const std::string name = markup.substr(begin, markup.find_first_of(" >\n", begin) - begin);
    static const std::set<std::string> kSelfClosed = {"!DOCTYPE", "meta", "br", "dt", "dd"};
    if (kSelfClosed.contains(name)) continue;
    if (!closing) {
      open.push_back(name);
      continue;
    }
    // A header cell ends where its row does.
    while (name == "tr" && !open.empty() && open.back() == "th") open.pop_back();
    ASSERT_FALSE(open.empty()) << name;
    EXPECT_EQ(open.back(), name) << markup.substr(at < 80 ? 0 : at - 80, 160);
    open.pop_back();
  }
  EXPECT_THAT(open, IsEmpty());
}

TEST(Report, DoesWithWhatThereIs) {
  LadderReport empty;
  EXPECT_THAT(RenderReport(empty), HasSubstr("The ladder"));
  LadderReport ladder = Ladder();
  ladder.points.clear();
  ladder.device.predicted = true;
  for (ModelFigures* model : {&ladder.dense, &ladder.rungs[0].model, &ladder.rungs[1].model}) {
    model->operations.clear();
  }
  ladder.rungs[0].changed.clear();
  ladder.rungs[0].changed_count = 0;
  ladder.rungs[1].model.layers.resize(3);  // layers dropped
  const std::string page = RenderReport(ladder);
  EXPECT_THAT(page, HasSubstr("predictions for another device"));
  EXPECT_THAT(page, Not(HasSubstr("Where the time goes")));
  EXPECT_THAT(page, Not(HasSubstr("What the search tried")));
  EXPECT_THAT(page, HasSubstr("no answer changed"));
  EXPECT_THAT(page, HasSubstr("no such layer"));
}

TEST(Report, SaysMetricsInPointsWhateverTheirUnit) {
  LadderReport ladder = Ladder();
  EXPECT_EQ(Points(ladder).Say(0.9083), "90.83");
  ladder.task = "squad";
  ladder.dense.metric = {"f1", 88.5, 87, 90};
  EXPECT_EQ(Points(ladder).Say(87.25), "87.25");
  EXPECT_EQ(Points(ladder).SayDrop(87.25), "−1.25");
  EXPECT_EQ(Points(ladder).SayDrop(88.501), "±0.00");
  ladder.task = "a task of somebody's own";
  ladder.dense.metric = {"score", 0.5, 0.4, 0.6};
  EXPECT_EQ(Points(ladder).Say(0.25), "25.00");
  EXPECT_EQ(Points(ladder).Say(NAN), "–");
}

}  // namespace
}  // namespace hone::compress
