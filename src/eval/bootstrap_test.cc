#include "eval/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <set>

namespace hone::eval {
namespace {

struct Data {
  std::vector<Example> examples;
  std::vector<Prediction> predictions;
};

// `right` of `n` labels are predicted right.
Data Labels(int n, int right) {
  Data data;
  for (int i = 0; i < n; ++i) {
    data.examples.emplace_back().label = i % 2;
    data.predictions.emplace_back().label = i < right ? i % 2 : 1 - i % 2;
  }
  return data;
}

Interval Sst2(const Data& data, std::uint64_t seed) {
  return Bootstrap(**FindTask("sst2"), "accuracy", data.examples, data.predictions, kResamples,
                   seed);
}

TEST(Bootstrap, IntervalOfAnAccuracyIsTheBinomialOne) {
  const Interval interval = Sst2(Labels(800, 720), 1);
  EXPECT_DOUBLE_EQ(interval.value, 0.9);
  const double deviation = std::sqrt(0.9 * 0.1 / 800);
  EXPECT_NEAR(interval.low, 0.9 - 1.96 * deviation, 0.25 * deviation);
  EXPECT_NEAR(interval.high, 0.9 + 1.96 * deviation, 0.25 * deviation);
}

TEST(Bootstrap, NarrowsAsExamplesGrow) {
  const Interval few = Sst2(Labels(50, 45), 1), many = Sst2(Labels(5000, 4500), 1);
  EXPECT_GT(few.high - few.low, 5 * (many.high - many.low));
}

TEST(Bootstrap, RepeatsWithItsSeedOnly) {
  const Data data = Labels(101, 77);
  EXPECT_EQ(Sst2(data, 1).low, Sst2(data, 1).low);
  EXPECT_EQ(Sst2(data, 1).high, Sst2(data, 1).high);
  std::set<double> lows;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) lows.insert(Sst2(data, seed).low);
  EXPECT_GT(lows.size(), 1u) << "another seed draws others";
  EXPECT_EQ(Sst2(Labels(60, 60), 3).low, 1.0) << "all right in every resample";
}

TEST(Bootstrap, DrawsPairsNotColumns) {
  // A perfect ranking stays perfect in every resample; columns drawn apart would lose it.
  Data data;
  for (int i = 0; i < 100; ++i) {
    data.examples.emplace_back().score = i;
    data.predictions.emplace_back().score = i * i;
  }
  const Interval interval =
      Bootstrap(**FindTask("stsb"), "spearman", data.examples, data.predictions, 200, 1);
  EXPECT_NEAR(interval.low, 1.0, 1e-9);
  EXPECT_NEAR(interval.high, 1.0, 1e-9);
}

TEST(Bootstrap, AnswersAreScoredOnceAndAveraged) {
  Data data;
  for (int i = 0; i < 40; ++i) {
    Example& example = data.examples.emplace_back();
    example.answers = {"the red house"};
    data.predictions.emplace_back().answer = i % 4 == 0 ? "a blue car" : "red house";
  }
  const Interval interval =
      Bootstrap(**FindTask("squad"), "f1", data.examples, data.predictions, kResamples, 1);
  EXPECT_DOUBLE_EQ(interval.value, 75.0);
  EXPECT_NEAR(interval.high - interval.low, 2 * 1.96 * 100 * std::sqrt(0.75 * 0.25 / 40), 5);
}

TEST(Bootstrap, KnowsIntentsAndSlots) {
  Data data;
  for (int i = 0; i < 40; ++i) {
    Example& example = data.examples.emplace_back();
    example.intent = "play";
    example.words = {"play", "it"};
    example.tags = {"O", "B-song"};
    Prediction& prediction = data.predictions.emplace_back();
    prediction.intent = i % 4 == 0 ? "stop" : "play";
    prediction.tags = i % 2 == 0 ? example.tags : std::vector<std::string>{"O", "O"};
  }
  const auto interval = [&](const char* metric) {
    return Bootstrap(**FindTask("intent_slots"), metric, data.examples, data.predictions,
                     kResamples, 1);
  };
  for (const auto& [metric, value] : {std::pair("exact", 0.25), std::pair("intent_accuracy", 0.75),
                                      std::pair("slot_f1", 2.0 / 3)}) {
    const Interval of = interval(metric);
    EXPECT_NEAR(of.value, value, 1e-12) << metric;
    EXPECT_LT(of.low, value) << metric;
    EXPECT_GT(of.low, value - 0.25) << metric;
    EXPECT_GT(of.high, value) << metric;
    EXPECT_LT(of.high, value + 0.25) << metric;
  }
}

}  // namespace
}  // namespace hone::eval
