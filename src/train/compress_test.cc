// Compressions with the real trainer: what compress asks of training, and what a killed command finds
// again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "compress/compressor.h"
#include "compress/latency/test_profile.h"
#include "env/clock.h"
#include "env/file.h"
#include "model/model.h"
#include "train/test_models.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using base::StatusOr;
using compress::TrainProgress;
using compress::TrainReport;
using compress::TrainRequest;
using compress::TrainResult;
using testing::FreshDirectory;
using ::testing::HasSubstr;
using testing::Reviews;
using testing::TinyRequest;
using testing::WriteScratch;
using testing::WriteText;

class CompressWithTrainingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    directory_ = FreshDirectory(::testing::TempDir(), name);
    WriteText(directory_ + "/train.tsv", Reviews(96));
    WriteText(directory_ + "/dev.tsv", Reviews(40, 200));
    const auto trained =
        train_(TinyRequest(WriteScratch(directory_, "scratch", 16, 2), directory_ + "/train.tsv",
                           directory_ + "/dev.tsv", directory_ + "/dense"),
               nullptr);
    ASSERT_TRUE(trained.ok()) << trained.status();
    const auto dense = model::Model::Open(env::RealFileSystem(), directory_ + "/dense");
    ASSERT_TRUE(dense.ok()) << dense.status();
    WriteText(directory_ + "/device.json", ToJson(compress::ProfileElsewhere(dense->config)));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  compress::CompressRequest Request() const {
    compress::CompressRequest request;
    request.model = directory_ + "/dense";
    request.out = directory_ + "/ladder";
    request.task = "sst2";
    request.train = {directory_ + "/train.tsv"};
    request.dev = directory_ + "/dev.tsv";
    request.speedups = {3};
    request.threads = 1;
    request.device_profile = directory_ + "/device.json";
    request.recipe.name = "test";
    request.recipe.text = "name: test\n";
    compress::PruneStage prune;
    prune.samples = prune.search_samples = 32;
    prune.candidates = 6;
    compress::DistillStage distill;
    distill.epochs = 12;
    distill.batch = 8;
    distill.learning_rate = 5e-3;
    request.recipe.stages = {{1, prune}, {2, distill}, {3, compress::QuantizeStage{}}};
    return request;
  }

  StatusOr<compress::LadderReport> Compress(const compress::CompressRequest& request,
                                            const compress::Trainer& trainer) {
    compress::CompressTools tools{
        .files = env::RealFileSystem(), .trainer = trainer, .report = {}, .now_ns = env::NowNs};
    tools.report = [this](const compress::CompressProgress& now) {
      if (!now.news.empty()) base::StrAppend(&news_, now.news, "\n");
    };
    return compress::Compress(request, tools);
  }

  std::string directory_, news_;
  compress::Trainer train_ = MakeTrainer(env::RealFileSystem());
};

TEST_F(CompressWithTrainingTest, LinesWithoutLabelsTeachByTheTeacherAlone) {
  std::string lines;
  std::istringstream rows(Reviews(96));
  for (std::string row; std::getline(rows, row);) lines += row.substr(0, row.find('\t')) + "\n";
  compress::CompressRequest request = Request();
  request.train.clear();
  request.text = directory_ + "/sentences";  // no name says what is in it
  WriteText(request.text, lines);
  const auto ladder = Compress(request, train_);
  ASSERT_TRUE(ladder.ok()) << ladder.status();
  ASSERT_EQ(ladder->rungs.size(), 1u);
  EXPECT_GE(ladder->rungs[0].speedup, 2.9);
  EXPECT_GE(ladder->rungs[0].model.metric.value, 0.9);
  EXPECT_THAT(news_, HasSubstr("accuracy")) << "the best step by the task's metric is kept";
}

TEST_F(CompressWithTrainingTest, LabelsAloneTeachWithoutATeacher) {
  compress::CompressRequest request = Request();
  std::get<compress::DistillStage>(request.recipe.stages[1].what).loss = {.task = 1};
  const auto ladder = Compress(request, train_);
  ASSERT_TRUE(ladder.ok()) << ladder.status();
  EXPECT_GE(ladder->rungs[0].model.metric.value, 0.9);

  // Without labels there is nothing to learn from, which is said before anything is pruned.
  request.out = directory_ + "/other";
  request.text = request.train[0];
  request.train.clear();
  EXPECT_THAT(Compress(request, train_).status().message(), HasSubstr("learns from labels alone"));
  EXPECT_FALSE(std::filesystem::exists(request.out + ".partial"));
}

// Hours of pruning lie between the command and its training.
TEST_F(CompressWithTrainingTest, WhatTrainingWouldRefuseIsRefusedBeforeAnythingIsPruned) {
  compress::CompressRequest request = Request();
  WriteText(request.train[0], "sentence\tlabel\na fine film\t1\na good one\t1\n");
  const auto ladder = Compress(request, train_);
  EXPECT_THAT(ladder.status().message(),
              ::testing::AllOf(HasSubstr("what the recipe trains with"), HasSubstr("one class")));
  EXPECT_THAT(news_, ::testing::Not(HasSubstr("plan: ")));
  EXPECT_FALSE(std::filesystem::exists(request.out + ".partial"));
}

TEST_F(CompressWithTrainingTest, ANarrowerStudentHasNoTimesOfAnotherDevice) {
  compress::CompressRequest request = Request();
  request.recipe.path = "mine.yaml";
  request.recipe.stages.insert(request.recipe.stages.begin(), {4, compress::NarrowStage{8}});
  EXPECT_THAT(Compress(request, train_).status().message(),
              ::testing::AllOf(HasSubstr("mine.yaml:4: narrow: "),
                               HasSubstr("has times for models of width 16, none of width 8")));
}

// The budget is planned anew each time, but a training that was begun keeps its own plan.
TEST_F(CompressWithTrainingTest, ACommandKilledBehindItsTrainingDoesNotTrainAgain) {
  compress::CompressRequest request = Request();
  request.budget_seconds = 600;
  const auto killed = Compress(request, [&](const TrainRequest& asked, const TrainReport& report) {
    if (asked.check_only) return train_(asked, report);
    const StatusOr<TrainResult> result = train_(asked, report);
    EXPECT_TRUE(result.ok()) << result.status();
    return StatusOr<TrainResult>(base::BadInput("killed here"));
  });
  ASSERT_THAT(killed.status().message(), HasSubstr("killed here"));
  int steps = 0;
  const auto resumed = Compress(request, [&](const TrainRequest& asked, const TrainReport&) {
    return train_(asked, [&](const TrainProgress& now) { steps += now.step > 0 ? 1 : 0; });
  });
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(steps, 0);
  EXPECT_THAT(news_, HasSubstr("trained 144 steps"));
}

}  // namespace
}  // namespace hone::train
