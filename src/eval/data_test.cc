// The readers on the real data sets, where HONE_TEST_DATA (or ../shared/data beside the checkout) has
// them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "eval/golden_test.h"
#include "eval/metrics.h"
#include "eval/squad_metrics.h"
#include "eval/tasks.h"

namespace hone::eval {
namespace {

std::string DataFolder() {
  const char* set = std::getenv("HONE_TEST_DATA");
  return set != nullptr ? set : std::string(HONE_SOURCE_DIR) + "/../shared/data";
}

struct File {
  const char* task;
  const char* path;
  std::size_t rows, skipped;
};

// Predictions that are the truth, in the shape of each output.
std::vector<Prediction> Truth(const Examples& examples) {
  std::vector<Prediction> predictions;
  for (const Example& example : examples.items) {
    Prediction& prediction = predictions.emplace_back();
    prediction.label = example.label;
    prediction.score = example.score;
    if (!example.answers.empty()) prediction.answer = example.answers[0];
  }
  return predictions;
}

class RealData : public testing::TestWithParam<File> {};

TEST_P(RealData, HasItsPublishedRowsAndScoresTheTruthAsPerfect) {
  const File& file = GetParam();
  const std::string path = DataFolder() + "/" + file.path;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there (set HONE_TEST_DATA)";
  const Task& task = **FindTask(file.task);
  const auto examples = ReadExamples(task, ReadWhole(path), path, {"", file.skipped > 0});
  ASSERT_TRUE(examples.ok()) << examples.status();
  EXPECT_EQ(examples->items.size(), file.rows);
  EXPECT_EQ(examples->skipped, file.skipped);
  const double perfect = task.output == Output::kAnswer ? 100 : 1;
  for (const auto& [name, value] : task.score(examples->items, Truth(*examples))) {
    if (name.find("total") == std::string::npos && !(name.starts_with("NoAns") && value == 0)) {
      EXPECT_NEAR(value, perfect, 1e-9) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, RealData,
    testing::Values(File{"sst2", "glue/SST-2/dev.tsv", 872, 0},
                    File{"mrpc", "glue/MRPC/dev.tsv", 408, 0},
                    File{"stsb", "glue/STS-B/sts-dev.csv", 1500, 0},
                    File{"qnli", "glue/QNLI/dev.tsv", 5463, 0},
                    // One row of this file has a blank where its last tab was.
                    File{"qqp", "glue/QQP/new_dev.tsv", 23496, 1},
                    File{"squad", "squad/xquad.en.json", 1190, 0},
                    File{"squad", "squad/squad_v11style_dev_answerable.json", 2910, 0},
                    File{"squad_v2", "squad/chrischute_dev-v2.0.json", 6078, 0}),
    [](const auto& instance) {
      std::string name = instance.param.path;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
      return name;
    });

TEST(RealQqp, NamesTheLineOfItsBadRow) {
  const std::string path = DataFolder() + "/glue/QQP/new_dev.tsv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there (set HONE_TEST_DATA)";
  const auto examples = ReadExamples(**FindTask("qqp"), ReadWhole(path), "new_dev.tsv", {});
  EXPECT_EQ(examples.status().message(),
            "new_dev.tsv:1: 5 tab-separated fields, expected at least 6");
}

}  // namespace
}  // namespace hone::eval
