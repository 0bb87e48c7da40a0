// Order, masking, learning rate, log: the parts of a run that need no model.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/strings.h"
#include "env/file.h"
#include "train/batches.h"
#include "train/log.h"
#include "train/request_text.h"
#include "train/schedule.h"
#include "train/test_models.h"

namespace hone::train {
namespace {

Dataset RaggedData(std::size_t items) {
  Dataset data;
  data.objective = Objective::kMaskedWords;
  for (std::size_t i = 0; i < items; ++i) {
    for (std::size_t t = 0; t < 4 + i * 7 % 20; ++t) {
      data.ids.push_back(t == 0 ? 1 : static_cast<std::int32_t>(5 + (i + t) % 90));
      data.types.push_back(0);
    }
    data.begins.push_back(data.ids.size());
    data.example.push_back(static_cast<std::uint32_t>(i));
  }
  return data;
}

TEST(EpochBatches, HoldEveryItemOnceAndDifferByEpochAndSeed) {
  const Dataset data = RaggedData(1003);
  const auto batches = EpochBatches(data, 8, 1, 0);
  EXPECT_EQ(batches.size(), 126u);
  std::set<std::uint32_t> seen;
  int spread = 0;
  for (const auto& batch : batches) {
    EXPECT_LE(batch.size(), 8u);
    for (const std::uint32_t item : batch) EXPECT_TRUE(seen.insert(item).second);
    spread += data.Tokens(batch.back()) - data.Tokens(batch.front());
  }
  EXPECT_EQ(seen.size(), 1003u);
  EXPECT_LE(spread, 2 * 126) << "texts of a batch are of one length, nearly";
  EXPECT_EQ(EpochBatches(data, 8, 1, 0), batches);
  EXPECT_NE(EpochBatches(data, 8, 1, 1), batches);
  EXPECT_NE(EpochBatches(data, 8, 2, 0), batches);
}

TEST(LeaveOutShort, KeepsLongItemsWithAllThatIsTheirs) {
  Dataset data = RaggedData(40);
  for (std::size_t i = 0; i < 40; ++i) {
    data.labels.push_back(static_cast<std::int32_t>(i));
    data.answers.emplace_back(i, 2 * i);
  }
  for (const std::int32_t id : data.ids) data.token_labels.push_back(id + 1000);
  const Dataset before = data;
  const std::size_t gone = LeaveOutShort(15, &data);
  EXPECT_GT(gone, 5u);
  ASSERT_EQ(data.items(), 40 - gone);
  for (std::size_t i = 0; i < data.items(); ++i) {
    const std::uint32_t old = data.example[i];
    EXPECT_GE(data.Tokens(i), 15);
    ASSERT_EQ(data.Tokens(i), before.Tokens(old));
    EXPECT_EQ(data.labels[i], before.labels[old]);
    EXPECT_EQ(data.answers[i], before.answers[old]);
    for (int t = 0; t < data.Tokens(i); ++t) {
      const std::size_t at = data.begins[i] + static_cast<std::size_t>(t);
      EXPECT_EQ(data.ids[at], before.ids[before.begins[old] + static_cast<std::size_t>(t)]);
      EXPECT_EQ(data.token_labels[at], data.ids[at] + 1000);
    }
  }
  EXPECT_EQ(data.ids.size(), data.begins.back());
  EXPECT_EQ(data.types.size(), data.begins.back());
  EXPECT_EQ(LeaveOutShort(1000, &data), 40 - gone);
  EXPECT_EQ(data.items(), 0u);
}

TEST(HideWords, HidesAShareAsPlannedAndNeverSpecialTokens) {
  const Dataset data = RaggedData(2000);
  MaskPlan plan{.mask_id = 4, .vocabulary = 100, .special = std::vector<bool>(100)};
  for (std::size_t id = 0; id < 5; ++id) plan.special[id] = true;
  std::vector<std::uint32_t> items(data.items());
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = static_cast<std::uint32_t>(i);
  TrainingBatch batch = Gather(data, items);
  const std::vector<std::int32_t> whole = batch.ids;
  HideWords(plan, 1, 0, &batch);
  int masked = 0, kept = 0;
  for (std::size_t i = 0; i < batch.masked.size(); ++i) {
    const auto t = static_cast<std::size_t>(batch.masked[i]);
    EXPECT_EQ(batch.masked_words[i], whole[t]);
    EXPECT_GE(whole[t], 5);
    masked += batch.ids[t] == 4 ? 1 : 0;
    kept += batch.ids[t] == whole[t] ? 1 : 0;
  }
  const double all = static_cast<double>(batch.masked.size());
  EXPECT_NEAR(all / static_cast<double>(whole.size() - data.items()), 0.16, 0.02);
  EXPECT_NEAR(masked / all, 0.8, 0.02);
  EXPECT_NEAR(kept / all, 0.1, 0.02);

  // A text is masked the same in any batch, and differently in another epoch.
  TrainingBatch alone = Gather(data, {{7}}), later = alone;
  HideWords(plan, 1, 0, &alone);
  HideWords(plan, 1, 1, &later);
  EXPECT_TRUE(std::equal(alone.ids.begin(), alone.ids.end(), batch.ids.begin() + batch.begins[7]));
  EXPECT_NE(later.ids, alone.ids);
}

TEST(LearningRate, RisesThenFalls) {
  compress::TrainRequest request;
  request.learning_rate = 1;
  request.warmup = 0.25;
  std::vector<double> rates;
  for (int step = 0; step < 8; ++step) rates.push_back(LearningRate(request, step, 8));
  EXPECT_THAT(rates,
              ::testing::Pointwise(::testing::DoubleNear(1e-12),
                                   {1 / 3., 2 / 3., 1., 5 / 6., 4 / 6., 3 / 6., 2 / 6., 1 / 6.}));
  request.schedule = compress::Schedule::kCosine;
  EXPECT_NEAR(LearningRate(request, 5, 8), 0.5, 1e-12);
  request.schedule = compress::Schedule::kConstant;
  EXPECT_EQ(LearningRate(request, 7, 8), 1);
}

TEST(PlannedSteps, AreCutByStepsAndByTime) {
  compress::TrainRequest request;
  request.epochs = 2.5;
  EXPECT_EQ(PlannedSteps(request, 100), 250);
  request.max_steps = 30;
  EXPECT_EQ(PlannedSteps(request, 100), 30);
  EXPECT_EQ(StepsThatFit(250, 20, 0.1, 11, 1), 120);
  EXPECT_EQ(StepsThatFit(250, 20, 0.1, 1000, 1), 250);
  EXPECT_EQ(StepsThatFit(250, 20, 0.1, -3, 1), 20);
}

TEST(TrainingLog, DropsTheRowsOfStepsThatComeAgain) {
  for (const std::string name : {"log.jsonl", "log.csv"}) {
    const std::string directory = testing::FreshDirectory(::testing::TempDir(), "log");
    const std::string path = base::StrCat(directory, "/", name);
    auto log = TrainingLog::Open(env::RealFileSystem(), path, -1);
    ASSERT_TRUE(log.ok()) << log.status();
    LogRow row;
    for (const int step : {10, 20, 30}) {
      row.step = step;
      ASSERT_TRUE(log->Write(row).ok());
    }
    const std::string before = testing::ReadText(path);
    log = TrainingLog::Open(env::RealFileSystem(), path, 20);
    ASSERT_TRUE(log.ok()) << log.status();
    EXPECT_LT(testing::ReadText(path).size(), before.size());
    row.step = 30;
    ASSERT_TRUE(log->Write(row).ok());
    EXPECT_EQ(testing::ReadText(path), before);
    std::filesystem::remove_all(directory);
  }
}

TEST(RequestText, NamesTheFirstDifference) {
  compress::TrainRequest request;
  request.train = {"a.tsv"};
  const std::string then = RequestText(request, {"a", "b"});
  EXPECT_EQ(FirstDifference(RequestText(request, {"a", "b"}), then), "");
  EXPECT_EQ(FirstDifference(RequestText(request, {"c", "b"}), then),
            R"(contents: ["c","b"], was ["a","b"])");
  request.log = "elsewhere";
  EXPECT_EQ(FirstDifference(RequestText(request, {"a", "b"}), then), "");
  request.learning_rate = 0.5;
  EXPECT_EQ(FirstDifference(RequestText(request, {"a", "b"}), then),
            "learning_rate: 0.5, was 5e-05");
}

}  // namespace
}  // namespace hone::train
