#include "eval/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"

namespace hone::eval {
namespace {

using testing::ElementsAre;

// Five sentences whose text is the label a perfect predictor would give.
Examples FiveSentences() {
  Examples examples;
  for (const int label : {1, 0, 1, 1, 0}) {
    Example& example = examples.items.emplace_back();
    example.text = std::to_string(label);
    example.label = label;
  }
  return examples;
}

TEST(Run, BatchesInOrderAndMeasuresEveryCall) {
  std::int64_t now_ns = 0;
  std::vector<std::size_t> sizes, progress;
  const Predictor predictor = [&](std::span<const Example> batch) {
    sizes.push_back(batch.size());
    now_ns += static_cast<std::int64_t>(sizes.size()) * 10'000'000;  // 10, 20, 30 ms
    std::vector<Prediction> predictions(batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i) predictions[i].label = batch[i].text == "1";
    return predictions;
  };
  RunOptions options;
  options.batch = 2;
  options.now_ns = [&] { return now_ns; };
  options.progress = [&](std::size_t done, std::size_t total) {
    progress.push_back(done);
    EXPECT_EQ(total, 5u);
  };
  const auto report = eval::Run(**FindTask("sst2"), FiveSentences(), predictor, options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(sizes, ElementsAre(2, 2, 1));
  EXPECT_THAT(progress, ElementsAre(2, 4, 5));
  EXPECT_THAT(report->metrics, ElementsAre(testing::Pair("accuracy", 1.0)));
  EXPECT_EQ(report->latency.p50_ms, 20);
  EXPECT_NEAR(report->latency.p99_ms, 29.8, 1e-9);
  EXPECT_EQ(report->latency.mean_ms, 20);
  EXPECT_NEAR(report->latency.examples_per_s, 5 / 0.06, 1e-9);
}

TEST(Run, PassesAPredictorsErrorOnWithTheExample) {
  const Predictor predictor =
      [](std::span<const Example> batch) -> base::StatusOr<std::vector<Prediction>> {
    if (batch[0].text == "0") return base::BadInput("too long");
    return std::vector<Prediction>(batch.size());
  };
  RunOptions options;
  options.now_ns = [] { return std::int64_t{0}; };
  const auto report = eval::Run(**FindTask("sst2"), FiveSentences(), predictor, options);
  EXPECT_EQ(report.status().message(), "example 2 of 5: too long");
  Examples of_a_file = FiveSentences();
  of_a_file.path = "dev.tsv";
  EXPECT_EQ(eval::Run(**FindTask("sst2"), of_a_file, predictor, options).status().message(),
            "dev.tsv: example 2 of 5: too long");
}

TEST(Report, IsOneJsonObjectWithTheCommandsKeys) {
  Report report;
  report.task = "stsb";
  report.n = 3;
  report.metrics = {{"pearson", std::nan("")}, {"spearman", 0.8672}};
  const std::string text = ToJson(report);
  const auto json = base::Json::Parse(text, "report");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(*json->root().Get("task")->String(), "stsb");
  EXPECT_EQ(*json->root().Get("n")->Int(), 3);
  EXPECT_EQ(*json->root().Get("metrics")->Get("spearman")->Double(), 0.8672);
  EXPECT_FALSE(json->root().Get("metrics")->Find("pearson"));  // null
  EXPECT_TRUE(json->root().Get("latency")->Find("p99_ms"));
}

}  // namespace
}  // namespace hone::eval
