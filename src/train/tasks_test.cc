// One small run of every objective: what it learns from must be enough to fit it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/strings.h"
#include "env/file.h"
#include "model/model.h"
#include "train/test_models.h"
#include "train/trainer.h"

namespace hone::train {
namespace {

using compress::TrainRequest;
using compress::TrainResult;
using testing::FreshDirectory;
using testing::Reviews;
using testing::TinyRequest;
using testing::WriteScratch;
using testing::WriteText;

class TasksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    directory_ = FreshDirectory(::testing::TempDir(), name);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  // Trains on `text` and is judged by it too.
  base::StatusOr<TrainResult> Fit(const std::string& task, const std::string& file,
                                  const std::string& text, double epochs) {
    WriteText(directory_ + "/" + file, text);
    TrainRequest request =
        TinyRequest(WriteScratch(directory_, "scratch", 16, 2), directory_ + "/" + file,
                    directory_ + "/" + file, directory_ + "/out");
    request.task = task;
    request.epochs = epochs;
    request.evaluations_per_epoch = 1;
    request.dropout = 0;
    return MakeTrainer(env::RealFileSystem())(request, nullptr);
  }

  model::Head HeadOfOut() {
    const auto model = model::Model::Open(env::RealFileSystem(), directory_ + "/out");
    HONE_EXPECT_OK(model);
    return model.ok() ? model->head : model::Head();
  }
  template <typename T>
  static void HONE_EXPECT_OK(const T& result) {
    EXPECT_TRUE(result.ok()) << result.status();
  }

  std::string directory_;
};

TEST_F(TasksTest, TagsOfWords) {
  std::string text;
  for (int i = 0; i < 48; ++i) {
    text += i % 2 ? "the O\nfilm B-WORK\nis O\ngood O\n\n" : "a O\nactor B-PER\nwas O\nbad O\n\n";
  }
  const auto result = Fit("ner", "train.conll", text, 8);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->metric, "f1");
  EXPECT_EQ(result->best, 1);
  EXPECT_THAT(HeadOfOut().labels, ::testing::ElementsAre("O", "B-PER", "B-WORK"));
}

TEST_F(TasksTest, AnswersToQuestions) {
  std::string text = R"({"data":[{"paragraphs":[)";
  const char* const adjectives[] = {"good", "bad", "great", "sad"};
  for (int i = 0; i < 32; ++i) {
    const char* const answer = adjectives[i % 4];
    base::StrAppend(&text, i ? "," : "", R"({"context":"the film is )", answer,
                    R"( the plot","qas":[{"id":")", i,
                    R"(","question":"is the film","answers":[{"text":")", answer,
                    R"(","answer_start":12}]}]})");
  }
  const auto result = Fit("squad", "train.json", text + "]}]}", 12);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->metric, "f1");
  EXPECT_GE(result->best, 95);
}

TEST_F(TasksTest, IntentsWithSlots) {
  std::string text;
  for (int i = 0; i < 24; ++i) {
    text +=
        R"({"words":["the","film","is","good"],"tags":["O","B-THING","O","O"],"intent":"praise"})"
        "\n"
        R"({"words":["a","plot","was","sad"],"tags":["O","B-THING","O","O"],"intent":"blame"})"
        "\n";
  }
  const auto result = Fit("intent_slots", "train.jsonl", text, 8);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->metric, "exact");
  EXPECT_EQ(result->best, 1);
  const model::Head head = HeadOfOut();
  EXPECT_THAT(head.labels, ::testing::ElementsAre("blame", "praise"));
  EXPECT_THAT(head.slot_labels, ::testing::ElementsAre("O", "B-THING"));
}

TEST_F(TasksTest, SimilarityByEmbeddings) {
  std::string text = "index\tsentence1\tsentence2\tscore\n";
  const char* const same[] = {"good film\tgreat film\t5.0",  "sad plot\tawful plot\t4.5",
                              "good film\tsad plot\t0.5",    "great film\tawful plot\t0.0",
                              "fine actor\tnice actor\t4.0", "fine actor\tpoor scene\t1.0"};
  for (int i = 0; i < 48; ++i) base::StrAppend(&text, i, "\t", same[i % 6], "\n");
  const auto result = Fit("stsb", "train.tsv", text, 20);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->metric, "spearman");
  EXPECT_GE(result->best, 0.9);
  EXPECT_EQ(HeadOfOut().task, model::Task::kEmbedding);
}

TEST_F(TasksTest, WordsBehindMasks) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += i % 2 ? "the film was good\n" : "a plot is sad\n";
  const auto result = Fit("mlm", "train.txt", text, 30);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->metric, "masked_accuracy");
  EXPECT_GE(result->best, 0.8);
  EXPECT_EQ(HeadOfOut().task, model::Task::kFillMask);
}

// An encoder keeps what it has learnt when it gets another head, and transformers' names.
TEST_F(TasksTest, ANewHeadOnATrainedEncoder) {
  std::string text;
  for (int i = 0; i < 64; ++i) text += i % 2 ? "the film was good\n" : "a plot is sad\n";
  ASSERT_TRUE(Fit("mlm", "train.txt", text, 2).ok());
  WriteText(directory_ + "/train.tsv", Reviews(64));
  TrainRequest request =
      TinyRequest(directory_ + "/out", directory_ + "/train.tsv", "", directory_ + "/classifier");
  request.from_scratch = false;
  request.max_steps = 1;
  request.learning_rate = 1e-9;
  request.weight_decay = 0;
  std::vector<std::string> notes;
  const auto result = MakeTrainer(env::RealFileSystem())(
      request, [&](const compress::TrainProgress& now) { notes.push_back(now.note); });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(notes, ::testing::Contains(::testing::HasSubstr("training a new one")));
  const auto before = model::Model::Open(env::RealFileSystem(), directory_ + "/out");
  const auto after = model::Model::Open(env::RealFileSystem(), request.out);
  ASSERT_TRUE(before.ok() && after.ok()) << after.status();
  const std::string name = "bert.encoder.layer.1.output.dense.weight";
  ASSERT_TRUE(before->checkpoint->Has(name) && after->checkpoint->Has(name));
  std::vector<float> old_values(32 * 16), new_values(32 * 16);
  tensor::CopyToF32(*before->checkpoint->Find(name), 0, old_values);
  tensor::CopyToF32(*after->checkpoint->Find(name), 0, new_values);
  EXPECT_THAT(new_values, ::testing::Pointwise(::testing::FloatNear(1e-6f), old_values));
  EXPECT_TRUE(after->checkpoint->Has("bert.pooler.dense.weight"));
  EXPECT_TRUE(after->checkpoint->Has("classifier.bias"));
}

}  // namespace
}  // namespace hone::train
