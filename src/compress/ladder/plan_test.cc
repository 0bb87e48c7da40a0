#include "compress/ladder/plan.h"

#include <gtest/gtest.h>

#include "compress/latency/test_profile.h"
#include "formats/test_directory.h"

namespace hone::compress {
namespace {

using PlanTest = formats::TestDirectory;

TEST_F(PlanTest, CountsASecondOnceAgainstTheBudget) {
  CompressRequest request;
  request.budget_seconds = 100;
  std::int64_t now_s = 0;
  const CompressTools tools{.files = files_, .trainer = {}, .report = {}, .now_ns = [&] {
                              return now_s * 1'000'000'000;
                            }};
  CompressJob job(request, tools);
  auto state = WorkState::Open(files_, Path("out.partial"), "request");
  ASSERT_TRUE(state.ok()) << state.status();
  job.state = *std::move(state);
  job.before_s = 10;  // of an earlier run
  now_s = 20;
  ASSERT_TRUE(job.state->Finish("profile", 20).ok());  // by this one
  EXPECT_DOUBLE_EQ(BudgetLeft(job), 70);
}

TEST_F(PlanTest, AFormatGainsOverTheDenseModelEvenWhereTheTableHasNoF32) {
  model::ModelConfig config;
  config.layers.assign(2, {.heads = 4, .ffn = 64});
  DeviceProfile profile = ProfileElsewhere(config);
  const double dense_ms = *profile.Predict(config.layers, quant::Format::kF32);
  const quant::Format int8[] = {quant::Format::kInt8};
  const double gain = FormatGain(profile, config.layers, int8, dense_ms);
  EXPECT_GT(gain, 1.5);
  std::erase_if(profile.fixed,
                [](const FixedCost& cost) { return cost.format == quant::Format::kF32; });
  EXPECT_DOUBLE_EQ(FormatGain(profile, config.layers, int8, dense_ms), gain);
}

}  // namespace
}  // namespace hone::compress
