#include "server/models/measure_latency.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "model/model.h"
#include "server/models/load_rung.h"
#include "server/test_models.h"

namespace hone::server {
namespace {

class MeasureLatencyTest : public ServiceTest {
 protected:
  void SetUp() override {
    const std::string directory = TinyModel("bert/embed-mean", "m");
    auto model = model::Model::Open(files_, directory);
    ASSERT_TRUE(model.ok());
    engine_ = *runtime::LocalEngine::Load(*model, {});
    limits_ = {.outputs = 1,
               .vocabulary = model->config.vocabulary,
               .max_tokens = model->max_text_tokens,
               .max_texts = 8,
               .batch_tokens = 1000,
               .budget_ms = 1e6};
  }
  std::unique_ptr<runtime::LocalEngine> engine_;
  MeasureLimits limits_;
};

TEST_F(MeasureLatencyTest, EveryGridMakesATable) {
  const planner::LatencyGrid grid = MeasureLatency(*engine_, limits_);
  EXPECT_EQ(grid.lengths, (std::vector<int>{8, 16, 24}));
  EXPECT_EQ(grid.texts, (std::vector<int>{1, 2, 4, 8}));
  EXPECT_TRUE(planner::LatencyTable::FromGrid(grid).ok());
}

TEST_F(MeasureLatencyTest, WithoutTimeTheRestFollowsTheTokens) {
  limits_.budget_ms = 0;
  const planner::LatencyGrid grid = MeasureLatency(*engine_, limits_);
  const double first = grid.ms.front();
  ASSERT_GT(first, 0);
  for (std::size_t l = 0; l < grid.lengths.size(); ++l) {
    for (std::size_t b = 0; b < grid.texts.size(); ++b) {
      EXPECT_NEAR(grid.ms[l * grid.texts.size() + b], first * grid.lengths[l] / 8 * grid.texts[b],
                  1e-9);
    }
  }
}

TEST_F(MeasureLatencyTest, NoTextIsLongerThanTheModelTakes) {
  limits_.max_tokens = 5;
  limits_.max_texts = 1;
  const planner::LatencyGrid grid = MeasureLatency(*engine_, limits_);
  EXPECT_EQ(grid.lengths, std::vector<int>{5});
  EXPECT_EQ(grid.texts, std::vector<int>{1});
}

TEST_F(MeasureLatencyTest, PredictsWhatPackingTakes) {
  const std::string ladder = TinyLadder("bert/ForSequenceClassification", "l");
  for (const std::string rung : {"dense", "int8"}) {
    const RungFiles files{
        .name = rung, .directory = base::StrCat(ladder, "/", rung), .format = {}, .metric = {}};
    auto model = model::Model::Open(files_, files.directory);
    auto engine = runtime::LocalEngine::Load(*model, {});
    ASSERT_TRUE(engine.ok());
    const double bytes = static_cast<double>((*engine)->load_report().packed_bytes);
    const double predicted = static_cast<double>(*PredictPackedBytes(files_, files));
    // Tiny matrices are mostly padding to whole panels.
    EXPECT_LE(predicted, bytes) << rung;
    EXPECT_GE(predicted, bytes / 4) << rung;
  }
}

}  // namespace
}  // namespace hone::server
