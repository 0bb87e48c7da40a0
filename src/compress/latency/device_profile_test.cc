#include "compress/latency/device_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "compress/latency/cost_fit.h"
#include "compress/latency/latency.h"
#include "compress/latency/measure_profile.h"
#include "formats/test_directory.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

using quant::Format;
using testing::ElementsAre;
using testing::HasSubstr;

DeviceProfile Example() {
  DeviceProfile profile;
  profile.processor = "Cortex-A76";
  profile.isa = "neondot";
  profile.workload = {1, 2, {14, 25, 40}};
  profile.architecture = "bert";
  profile.width = 384;
  profile.head_size = 32;
  profile.fixed = {{Format::kInt8, 0.5}};
  profile.costs = {{Block::kAttention, Format::kInt8, 0, 0.1},
                   {Block::kAttention, Format::kInt8, 1, 0.3},
                   {Block::kAttention, Format::kInt8, 2, 0.4},
                   {Block::kFeedForward, Format::kInt8, 0, 0.1},
                   {Block::kFeedForward, Format::kInt8, 100, 1.1},
                   {Block::kFeedForward, Format::kInt8, 200, 1.7}};
  return profile;
}

TEST(DeviceProfile, CostsAreLinearBetweenSizes) {
  const DeviceProfile profile = Example();
  EXPECT_DOUBLE_EQ(*profile.Cost(Block::kAttention, Format::kInt8, 2), 0.4);
  EXPECT_DOUBLE_EQ(*profile.Cost(Block::kFeedForward, Format::kInt8, 0), 0.1);
  EXPECT_DOUBLE_EQ(*profile.Cost(Block::kFeedForward, Format::kInt8, 50), 1.1)
      << "any block that is there costs as the smallest";
  EXPECT_DOUBLE_EQ(*profile.Cost(Block::kFeedForward, Format::kInt8, 150), 1.4);
  EXPECT_DOUBLE_EQ(*profile.Cost(Block::kFeedForward, Format::kInt8, 400), 3.4) << "in proportion";
  EXPECT_FALSE(profile.Cost(Block::kAttention, Format::kInt4, 1).ok());
  std::vector<model::LayerShape> layers(2);
  layers[0].heads = 1;
  layers[0].ffn = 100;
  EXPECT_DOUBLE_EQ(*profile.Predict(layers, Format::kInt8), 0.5 + 0.3 + 1.1 + 0.1 + 0.1);
}

TEST(DeviceProfile, ReadsWhatItWrites) {
  const std::string json = ToJson(Example());
  const auto read = ParseDeviceProfile(json, "pi.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ToJson(*read), json);
}

TEST(DeviceProfile, ErrorsSayWhere) {
  const std::string json = ToJson(Example());
  const auto error = [&](const std::string& from, const std::string& to) {
    std::string changed = json;
    const std::size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    const auto read = ParseDeviceProfile(changed, "pi.json");
    return read.ok() ? "accepted" : read.status().message();
  };
  EXPECT_THAT(error("device-profile", "ladder"), HasSubstr("is no device profile"));
  EXPECT_THAT(error("neondot", "z80"), HasSubstr("unknown instruction set \"z80\""));
  EXPECT_THAT(error("\"width\": 384", "\"width\": 0"), HasSubstr("$.model.width: expected 1 to"));
  EXPECT_THAT(error("\"fixed_ms\": 0.5", "\"fixed_ms\": -1"), HasSubstr("$.formats[0].fixed_ms"));
  EXPECT_THAT(error("\"int8\"", "\"int3\""), HasSubstr("$.formats[0]"));
  EXPECT_THAT(error("100", "300"), HasSubstr("expected sizes ascending"));
  EXPECT_THAT(error("\"lengths\"", "\"length\""), HasSubstr("lacks the field \"lengths\""));
}

TEST(DeviceProfile, IsForOneShapeAndOneInstructionSet) {
  model::ModelConfig config;
  config.architecture = "bert";
  config.width = 384;
  config.head_size = 32;
  EXPECT_TRUE(CheckForModel(Example(), config, "pi.json").ok());
  config.width = 768;
  EXPECT_THAT(CheckForModel(Example(), config, "pi.json").message(),
              HasSubstr("pi.json: is for bert models of width 384"));
  EXPECT_TRUE(CheckForDevice(Example(), base::Isa::kNeonDot, "pi.json").ok());
  EXPECT_THAT(CheckForDevice(Example(), base::Isa::kAvx2, "pi.json").message(),
              HasSubstr("was measured with neondot instructions"));
}

TEST(CostFit, FindsTheCostsBehindTheTimes) {
  std::mt19937 random(3);
  const std::vector<int> knots = {0, 10, 20, 40, 80};
  // fixed 0.3; attention 0.05 gone, else 0.1 + 0.07 a head; ffn 0.05 gone, else 0.02 a column.
  const auto attention = [](int heads) { return heads == 0 ? 0.05 : 0.1 + 0.07 * heads; };
  const auto ffn = [](int columns) { return columns == 0 ? 0.05 : 0.03 + 0.02 * columns; };
  std::vector<CostSample> samples;
  for (int i = 0; i < 60; ++i) {
    CostSample sample;
    sample.ms = 0.3;
    for (int l = 0; l < 1 + i % 6; ++l) {
      const int heads = static_cast<int>(random() % 9);
      const int columns = knots[random() % knots.size()];
      sample.layers.emplace_back(heads, columns);
      sample.ms += attention(heads) + ffn(columns);
    }
    // Noise of one per cent, as a quiet machine has.
    sample.ms *= 1 + 0.01 * (static_cast<double>(random() % 2001) / 1000 - 1);
    samples.push_back(sample);
  }
  const FittedCosts costs = FitCosts(samples, 8, knots);
  EXPECT_NEAR(costs.fixed_ms, 0.3, 0.1);
  for (int h = 0; h <= 8; ++h) {
    EXPECT_NEAR(costs.attention_ms[static_cast<std::size_t>(h)], attention(h), 0.05) << h;
  }
  for (std::size_t k = 0; k < knots.size(); ++k) {
    EXPECT_NEAR(costs.ffn_ms[k], ffn(knots[k]), 0.06) << knots[k];
  }
  EXPECT_LT(costs.spread, 0.02);
  EXPECT_TRUE(std::ranges::is_sorted(costs.attention_ms));
  EXPECT_TRUE(std::ranges::is_sorted(costs.ffn_ms));
}

TEST(Latency, FewLengthsStandForMany) {
  std::vector<int> lengths;
  for (int i = 1; i <= 1000; ++i) lengths.push_back(1 + i * 37 % 1000);
  const auto batches = RepresentativeBatches(lengths, 1, 10);
  ASSERT_EQ(batches.size(), 10u);
  EXPECT_NEAR(batches[0][0], 51, 2);
  EXPECT_NEAR(batches[9][0], 951, 2);
  EXPECT_EQ(RepresentativeBatches({5, 9, 7}, 2, 10).size(), 1u) << "a short last batch is left out";
  EXPECT_THAT(RepresentativeBatches({5}, 2, 10), ElementsAre(ElementsAre(5, 5)));
  EXPECT_THAT(MiddleLengths({8, 8, 8}), ElementsAre(8));
  EXPECT_THAT(MiddleLengths({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}), ElementsAre(5, 5, 6, 6, 7));
}

class MeasureProfileTest : public formats::TestDirectory {};

TEST_F(MeasureProfileTest, MeasuresEveryFormatOfEveryArchitecture) {
  for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
    if (tiny.name != "bert/embed-mean" && tiny.name.find("modernbert") == std::string::npos &&
        tiny.name.find("mpnet") == std::string::npos) {
      continue;
    }
    const auto model = model::Model::Open(files_, tests::WriteTinyModel(tiny, directory_));
    ASSERT_TRUE(model.ok()) << model.status();
    MeasureOptions options;
    options.workload = {2, 2, {5, 9}};
    options.formats = {Format::kF32, Format::kInt8};
    options.seconds = 0.05;
    double last = 0;
    const auto measured = MeasureProfile(*model, options, [&](double done) {
      EXPECT_GT(done, last);
      last = done;
    });
    ASSERT_TRUE(measured.ok()) << tiny.name << ": " << measured.status();
    const DeviceProfile& profile = measured->profile;
    EXPECT_TRUE(CheckForModel(profile, model->config, "p").ok());
    for (const Format format : options.formats) {
      const auto ms = profile.Predict(model->config.layers, format);
      ASSERT_TRUE(ms.ok());
      EXPECT_GT(*ms, 0);
    }
    EXPECT_TRUE(ParseDeviceProfile(ToJson(profile), "p").ok()) << tiny.name;
  }
}

TEST_F(MeasureProfileTest, RefusesLengthsThatTheModelDoesNotTake) {
  const auto model =
      model::Model::Open(files_, tests::WriteTinyModel(tests::AllTinyModels()[0], directory_));
  MeasureOptions options;
  options.workload = {1, 1, {1000}};
  options.formats = {Format::kF32};
  EXPECT_THAT(MeasureProfile(*model, options, {}).status().message(),
              HasSubstr("a text of 1000 tokens"));
}

TEST(FfnWidths, FallByATenth) {
  const std::vector<int> widths = FfnWidths(100);
  EXPECT_THAT(widths, testing::IsSupersetOf({0, 1, 81, 90, 100}));
  EXPECT_TRUE(std::ranges::is_sorted(widths));
  EXPECT_THAT(FfnWidths(1), ElementsAre(0, 1));
}

}  // namespace
}  // namespace hone::compress
