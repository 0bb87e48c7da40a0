#include "compress/search/prune_to_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "formats/test_directory.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

using quant::Format;
using testing::HasSubstr;

// A tiny model whose blocks can only be whole or gone but for the feed-forward, and a device on which
// the profile's milliseconds are off by a factor.
class PruneToTargetTest : public formats::TestDirectory {
 protected:
  void SetUp() override {
    for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
      if (tiny.name == "bert/embed-mean") model_ = tests::WriteTinyModel(tiny, directory_);
    }
    const Draft draft = *Draft::Open(files_, model_);
    const model::ModelConfig& config = draft.model().config;
    width_ = config.width;
    ffn_ = config.layers[0].ffn;
    for (int l = 0; l < config.layer_count(); ++l) {
      BlockSnapshots block;
      block.layer = l;
      block.block = Block::kFeedForward;
      for (int kept = ffn_; kept >= 0; --kept) block.levels.push_back(MakeLevel(kept));
      snapshots_.push_back(block);
    }
    profile_.fixed = {{Format::kF32, 0.5}, {Format::kInt8, 0.5}};
    const double column = 1.0 / ffn_;
    profile_.costs = {{Block::kFeedForward, Format::kF32, 0, 0.0},
                      {Block::kFeedForward, Format::kF32, 1, 4.0 * column},
                      {Block::kFeedForward, Format::kF32, ffn_, 4.0},
                      {Block::kFeedForward, Format::kInt8, 0, 0.0},
                      {Block::kFeedForward, Format::kInt8, 1, 1.0 * column},
                      {Block::kFeedForward, Format::kInt8, ffn_, 1.0},
                      // No snapshots, so part of what is fixed.
                      {Block::kAttention, Format::kF32, 0, 0.0},
                      {Block::kAttention, Format::kInt8, 0, 0.0}};
  }

  Level MakeLevel(int kept) const {
    Level level;
    level.kept = kept;
    level.error = 1 - static_cast<double>(kept) / ffn_;
    for (int i = 0; i < kept; ++i) level.structures.push_back(i);
    if (kept < ffn_) {
      level.weight.assign(static_cast<std::size_t>(kept) * static_cast<std::size_t>(width_), 0.01f);
    }
    return level;
  }

  static int Columns(const Draft& draft) {
    int columns = 0;
    for (const model::LayerShape& layer : draft.model().config.layers) columns += layer.ffn;
    return columns;
  }

  // What a "measurement" gives: `factor` times the profile's cost.
  CandidateJudges Judges(double factor) {
    CandidateJudges judges;
    const double dense = 0.5 + 4.0 * static_cast<double>(snapshots_.size());
    judges.time = [this, factor, dense](const Draft& draft,
                                        const BlockFormats& formats) -> base::StatusOr<TimedPair> {
      ++timed_;
      const double noise = noise_of_ ? noise_of_(timed_) : 1;
      double ms = 0.5;
      for (std::size_t b = 0; b < formats.size(); ++b) {
        ms += *profile_.Cost(Block::kFeedForward, formats[b], draft.model().config.layers[b].ffn,
                             /*gated_ffn=*/false);
      }
      const double misjudged = misjudged_of_ ? misjudged_of_(draft, ms) : 1;
      return TimedPair{dense, factor * noise * misjudged * ms};
    };
    judges.loss = [this](const Draft& draft,
                         const BlockFormats& formats) -> base::StatusOr<double> {
      return 1.0 / (1 + Columns(draft)) + (loss_of_ ? loss_of_(formats) : 0);
    };
    return judges;
  }

  base::StatusOr<PrunedDraft> Prune(const PruneTarget& target, double factor,
                                    std::vector<Format> formats = {Format::kF32}) {
    PruneToTargetOptions options;
    options.formats = std::move(formats);
    options.candidates = 12;
    return PruneToTarget(*Draft::Open(files_, model_), snapshots_, profile_, target, Judges(factor),
                         options);
  }

  std::string model_;
  int width_ = 0, ffn_ = 0, timed_ = 0;
  std::function<double(int timing)> noise_of_;  // none where empty
  // How much longer the model takes than the profile says; as long where empty.
  std::function<double(const Draft& draft, double predicted_ms)> misjudged_of_;
  std::function<double(const BlockFormats& formats)>
      loss_of_;  // beside what is pruned; none where empty
  std::vector<BlockSnapshots> snapshots_;
  DeviceProfile profile_;
};

TEST_F(PruneToTargetTest, MeasuredLatencyMeetsTheTargetWhateverTheProfileSays) {
  for (const double factor : {0.6, 1.0, 1.4}) {
    const auto pruned = Prune({.speedup = 2}, factor);
    ASSERT_TRUE(pruned.ok()) << pruned.status();
    EXPECT_NEAR(pruned->timed.dense_ms / pruned->timed.candidate_ms, 2, 0.06) << factor;
    EXPECT_EQ(pruned->loss, 1.0 / (1 + Columns(pruned->draft)));
  }
}

TEST_F(PruneToTargetTest, OneTimingThatIsOffDoesNotDecide) {
  // The profile is right of the first choice and a tenth off the searched one, which the first timing of
  // that hides.
  constexpr double kSlower = 1.1;
  noise_of_ = [](int timing) { return timing <= 3 ? 1.0 : kSlower; };
  const auto pruned = Prune({.speedup = 2}, 1);
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  EXPECT_NEAR(pruned->timed.dense_ms / (kSlower * pruned->predicted_ms), 2, 0.06);
}

TEST_F(PruneToTargetTest, ShapesThatTheProfileMisjudgesDifferentlyMeetTheTargetToo) {
  // A first layer with more than half of its columns takes a quarter longer than its profile says.
  misjudged_of_ = [this](const Draft& draft, double /*predicted_ms*/) {
    return draft.model().config.layers[0].ffn > ffn_ / 2 ? 1.25 : 1.0;
  };
  for (const double speedup : {1.5, 2.0, 2.5}) {
    const auto pruned = Prune({.speedup = speedup}, 1);
    ASSERT_TRUE(pruned.ok()) << pruned.status();
    EXPECT_NEAR(pruned->timed.dense_ms / pruned->timed.candidate_ms / speedup, 1, 0.04) << speedup;
  }
}

TEST_F(PruneToTargetTest, WhereTheLatencyJumpsOverTheTargetTheNearerSideStands) {
  // 4.25 ms are asked for, and nothing takes between `below` and `above`.
  const auto candidate_ms = [&](double below, double above) {
    misjudged_of_ = [=](const Draft& /*draft*/, double predicted_ms) {
      return predicted_ms > below ? above / below : 1.0;
    };
    const auto pruned = Prune({.speedup = 2}, 1);
    return pruned.ok() ? pruned->timed.candidate_ms : 0;
  };
  EXPECT_THAT(candidate_ms(4.1, 4.6), testing::AllOf(testing::Gt(3.95), testing::Le(4.1)));
  EXPECT_THAT(candidate_ms(3.8, 4.35), testing::AllOf(testing::Ge(4.35), testing::Lt(4.5)));
}

TEST_F(PruneToTargetTest, AimsAtALatency) {
  const auto pruned = Prune({.latency_ms = 3}, 1.2);
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  EXPECT_NEAR(pruned->timed.candidate_ms, 3, 0.1);
}

TEST_F(PruneToTargetTest, TakesTheFasterFormatWhereTheSlowerOneWouldCostMore) {
  const auto pruned = Prune({.speedup = 3}, 1, {Format::kF32, Format::kInt8});
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  EXPECT_THAT(pruned->formats, testing::Contains(BlockFormat{Format::kInt8, Format::kInt8}));
  EXPECT_GT(Columns(pruned->draft), Columns(Prune({.speedup = 3}, 1)->draft));
}

TEST_F(PruneToTargetTest, OneMatrixOfABlockKeepsTheFormatThatItsNeighbourNeedNot) {
  // Rounding up costs what no removed column does, rounding down nothing.
  loss_of_ = [](const BlockFormats& formats) {
    return static_cast<double>(std::ranges::count(formats, Format::kInt8, &BlockFormat::in));
  };
  const auto pruned = Prune({.speedup = 1.5}, 1, {Format::kF32, Format::kInt8});
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  for (const BlockFormat& format : pruned->formats) {
    EXPECT_EQ(NameOf(format), "f32+int8");
  }
}

TEST_F(PruneToTargetTest, OptionsAreEveryPairOfFormatsAndOneOfABlockThatIsGone) {
  const auto blocks =
      *MakeOptions(snapshots_, profile_, std::vector{Format::kF32, Format::kInt8}, false);
  ASSERT_EQ(blocks.size(), snapshots_.size());
  EXPECT_EQ(blocks[0].size(), 4u * static_cast<std::size_t>(ffn_) + 1);
  EXPECT_EQ(SensitivityCount(blocks), 3 * snapshots_.size());
  // Half of the weights are in each.
  EXPECT_EQ(NameOf(blocks[0][1].format), "f32+int8");
  EXPECT_DOUBLE_EQ(blocks[0][1].ms, 2.5);
  EXPECT_EQ(blocks[0][1].errors[1], 0) << "up is in f32";
  EXPECT_GT(blocks[0][1].errors[2], 0);
  const auto one = *MakeOptions(snapshots_, profile_, std::vector{Format::kInt8}, false);
  EXPECT_EQ(SensitivityCount(one), snapshots_.size()) << "nothing to choose but what to remove";
}

TEST_F(PruneToTargetTest, SaysWhatIsPossibleWhereNothingIsFastEnough) {
  const auto pruned = Prune({.speedup = 50}, 1);
  EXPECT_EQ(pruned.status().code(), base::StatusCode::kNotFound);
  EXPECT_THAT(pruned.status().message(), HasSubstr("with every block gone"));
}

TEST_F(PruneToTargetTest, AModelThatIsFastEnoughStaysWhole) {
  const auto pruned = Prune({.latency_ms = 1000}, 1);
  ASSERT_TRUE(pruned.ok()) << pruned.status();
  EXPECT_EQ(Columns(pruned->draft), ffn_ * static_cast<int>(snapshots_.size()));
}

}  // namespace
}  // namespace hone::compress
