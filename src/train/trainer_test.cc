#include "train/trainer.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "base/json.h"
#include "base/strings.h"
#include "env/file.h"
#include "formats/tokenizer_files.h"
#include "model/model.h"
#include "train/teacher.h"
#include "train/test_models.h"

namespace hone::train {
namespace {

using compress::TrainProgress;
using compress::TrainRequest;
using compress::TrainResult;
using ::testing::AllOf;
using testing::FreshDirectory;
using ::testing::HasSubstr;
using testing::ReadText;
using testing::Reviews;
using testing::TinyRequest;
using testing::WriteScratch;
using testing::WriteText;

base::StatusOr<TrainResult> Train(const TrainRequest& request,
                                  const compress::TrainReport& report = nullptr) {
  return MakeTrainer(env::RealFileSystem())(request, report);
}

std::string MessageOf(const TrainRequest& request) {
  const auto result = Train(request);
  return result.ok() ? "no error" : result.status().message();
}

// One directory with data, a scratch model and a place for outputs.
class TrainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    // A death test's child begins here again, and goes on with what the parent's runs have left.
    ::testing::FLAGS_gtest_death_test_style = "threadsafe";
    constexpr char kVariable[] = "HONE_TRAINER_TEST";
    if (::testing::internal::InDeathTestChild()) {
      directory_ = std::getenv(kVariable);
    } else {
      directory_ = FreshDirectory(::testing::TempDir(), name);
      setenv(kVariable, directory_.c_str(), 1);
    }
    scratch_ = WriteScratch(directory_, "scratch", 16, 2);
    train_ = File("train.tsv", Reviews(96));
    dev_ = File("dev.tsv", Reviews(40, 200));
  }

  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string File(const std::string& name, const std::string& text) {
    WriteText(directory_ + "/" + name, text);
    return directory_ + "/" + name;
  }
  TrainRequest Request(const std::string& out) {
    return TinyRequest(scratch_, train_, dev_, directory_ + "/" + out);
  }

  std::string directory_, scratch_, train_, dev_;
};

TEST_F(TrainerTest, LearnsAndLeavesADirectoryThatOpens) {
  TrainRequest request = Request("out");
  request.log = directory_ + "/log.jsonl";
  std::vector<std::string> notes;
  const auto result = Train(request, [&](const TrainProgress& now) {
    if (!now.note.empty()) notes.push_back(now.note);
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->metric, "accuracy");
  EXPECT_GE(result->best, 0.95);
  EXPECT_EQ(result->steps, 72);
  EXPECT_EQ(result->evaluations.size(), 12u);
  const auto model = model::Model::Open(env::RealFileSystem(), request.out);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(model->head.labels, ::testing::ElementsAre("negative", "positive"));
  EXPECT_FALSE(std::filesystem::exists(request.out + ".training"));
  EXPECT_THAT(ReadText(request.out + "/training.json"), HasSubstr("\"best_step\""));
  EXPECT_THAT(ReadText(request.log), HasSubstr("\"accuracy\":"));
  EXPECT_THAT(notes, ::testing::Contains(HasSubstr("MiB of memory")));
  EXPECT_THAT(notes, ::testing::Contains(HasSubstr("dev.tsv: with 40 examples")));

  // A run that has ended gives its result again; another request is refused.
  request.resume = true;
  const auto again = Train(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->best, result->best);
  EXPECT_EQ(again->evaluations, result->evaluations);
  request.seed = 2;
  EXPECT_THAT(MessageOf(request), HasSubstr("seed: 2, was 1"));
  request.resume = false;
  EXPECT_THAT(MessageOf(request), HasSubstr("exists already"));
}

// The child dies in the middle of an epoch, twice; the third goes on to the end. It has a teacher,
// which a run that goes on must ask again.
TEST_F(TrainerTest, AKilledRunGoesOnToTheSameBits) {
  TrainRequest teacher = Request("teacher");
  teacher.epochs = 1;
  if (!::testing::internal::InDeathTestChild()) {
    ASSERT_TRUE(Train(teacher).ok());
  }
  TrainRequest whole = Request("whole"), killed = Request("killed");
  for (TrainRequest* request : {&whole, &killed}) {
    request->teacher = teacher.out;
    request->loss = {.task = 0.5f, .logits = 0.5f, .hidden = 0.1f};
  }
  whole.accumulate = killed.accumulate = 2;
  whole.log = directory_ + "/whole.jsonl";
  killed.log = directory_ + "/killed.jsonl";
  const auto die_at = [&](std::int64_t step) {
    killed.resume = true;
    const auto ignored = Train(killed, [step](const TrainProgress& now) {
      if (now.step == step && now.note.empty()) std::raise(SIGKILL);
    });
  };
  EXPECT_EXIT(die_at(2), ::testing::KilledBySignal(SIGKILL), "");   // nothing was kept yet
  EXPECT_EXIT(die_at(17), ::testing::KilledBySignal(SIGKILL), "");  // after an evaluation
  killed.resume = true;
  std::vector<std::string> notes;
  const auto resumed = Train(killed, [&](const TrainProgress& now) { notes.push_back(now.note); });
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_THAT(notes, ::testing::Contains(HasSubstr("going on after step 15 of 36")));
  const auto uninterrupted = Train(whole);
  ASSERT_TRUE(uninterrupted.ok()) << uninterrupted.status();
  EXPECT_EQ(resumed->evaluations, uninterrupted->evaluations);
  EXPECT_EQ(resumed->best_step, uninterrupted->best_step);
  const std::string weights = ReadText(whole.out + "/model.safetensors");
  EXPECT_GT(weights.size(), 1000u);
  EXPECT_TRUE(ReadText(killed.out + "/model.safetensors") == weights);
}

TEST_F(TrainerTest, AnotherSeedGivesAnotherModel) {
  TrainRequest first = Request("first"), second = Request("second");
  first.epochs = second.epochs = 1;
  second.seed = 2;
  ASSERT_TRUE(Train(first).ok());
  ASSERT_TRUE(Train(second).ok());
  EXPECT_FALSE(ReadText(first.out + "/model.safetensors") ==
               ReadText(second.out + "/model.safetensors"));
}

TEST_F(TrainerTest, ANarrowerStudentLearnsFromEveryPartOfTheTeacher) {
  TrainRequest teacher = Request("teacher");
  ASSERT_TRUE(Train(teacher).ok());
  // Lines of text: only the teacher knows what they mean.
  std::string lines;
  std::istringstream rows(Reviews(96));
  for (std::string row; std::getline(rows, row);) lines += row.substr(0, row.find('\t')) + "\n";
  TrainRequest student = Request("student");
  student.model = WriteScratch(directory_, "narrow", 8, 1);
  student.train = {File("lines.txt", lines)};
  student.teacher = teacher.out;
  student.loss = {.task = 0, .logits = 1, .hidden = 0.2f, .relations = 0.1f};
  student.epochs = 40;
  student.dropout = 0;
  student.evaluations_per_epoch = 1;
  const auto result = Train(student);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GE(result->best, 0.9);

  student.out = directory_ + "/logits-only";  // by the engine, kept after the first epoch
  student.loss = {.task = 0, .logits = 1};
  const auto logits = Train(student);
  ASSERT_TRUE(logits.ok()) << logits.status();
  EXPECT_GE(logits->best, 0.9);

  student.out = directory_ + "/none";
  student.task = "none";
  EXPECT_THAT(MessageOf(student), HasSubstr("no metric for a dev file"));
  student.dev = "";
  EXPECT_THAT(MessageOf(student), HasSubstr("from scratch there is none"));
  student.from_scratch = false;
  student.model = teacher.out;
  student.max_steps = 3;
  const auto none = Train(student);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(std::isnan(none->best));
  EXPECT_TRUE(std::filesystem::exists(student.out + "/training.json"));
}

TEST_F(TrainerTest, ConsistencyIsOfTwoPassesThatDifferByDropout) {
  TrainRequest request = Request("out");
  request.loss = {.task = 1, .consistency = 1};
  request.dropout = 0.1;
  request.log = directory_ + "/log.csv";
  const auto result = Train(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GE(result->best, 0.9);
  std::istringstream lines(ReadText(request.log));
  std::string header, first;
  std::getline(lines, header);
  std::getline(lines, first);
  std::istringstream rows(ReadText(request.log));  // of steps and of evaluations
  for (std::string row; std::getline(rows, row);) {
    EXPECT_EQ(std::ranges::count(row, ','), std::ranges::count(header, ',')) << row;
  }
  std::istringstream names(header), values(first);
  double consistency = -1;
  for (std::string name, value; std::getline(names, name, ',');) {
    std::getline(values, value, ',');
    if (name == "consistency") consistency = std::stod(value);
  }
  EXPECT_GT(consistency, 0);

  request.out = directory_ + "/none";
  request.dropout = 0;
  EXPECT_THAT(MessageOf(request), HasSubstr("dropout is 0"));
  request.dropout = 0.1;
  request.loss = {.task = 0, .consistency = 1};
  EXPECT_THAT(MessageOf(request), HasSubstr("neither its task nor a teacher's part"));
}

// The losses that a run's log has, by part.
std::vector<std::vector<double>> LossesOf(const std::string& log) {
  std::vector<std::vector<double>> losses;
  std::istringstream lines(ReadText(log));
  for (std::string line; std::getline(lines, line);) {
    const auto row = base::Json::Parse(line, "log");
    std::vector<double>& parts = losses.emplace_back();
    for (const char* part : {"loss", "task", "logits", "hidden", "relations", "norm"}) {
      parts.push_back(row.ok() ? *row->root().DoubleOr(part, 0) : -1);
    }
  }
  return losses;
}

// Each thread takes a part of a batch, which is not seen in what is learnt.
TEST_F(TrainerTest, OneThreadAndTwoHaveTheSameLosses) {
  TrainRequest teacher = Request("teacher");
  teacher.epochs = 1;
  ASSERT_TRUE(Train(teacher).ok());
  TrainRequest request = Request("student");
  request.model = WriteScratch(directory_, "scratch-of-one", 16, 1);
  request.teacher = teacher.out;
  request.dev = "";
  request.dropout = 0;
  request.batch = 7;  // no multiple of two
  request.loss = {.task = 0.5f, .logits = 0.5f, .hidden = 1, .relations = 0.5f};
  request.max_steps = 20;
  std::vector<std::vector<double>> losses[2];
  for (const int threads : {1, 2}) {
    request.threads = threads;
    request.out = base::StrCat(directory_, "/student", threads);
    request.log = request.out + ".jsonl";
    ASSERT_TRUE(Train(request).ok());
    losses[threads - 1] = LossesOf(request.log);
  }
  ASSERT_EQ(losses[0].size(), 3u);
  ASSERT_EQ(losses[1].size(), 3u);
  for (std::size_t row = 0; row < losses[0].size(); ++row) {
    for (std::size_t i = 0; i < losses[0][row].size(); ++i) {
      const double one = losses[0][row][i];
      EXPECT_GT(one, 0);
      EXPECT_NEAR(losses[1][row][i], one, 1e-3 * one);
    }
  }
}

TEST_F(TrainerTest, ATeacherSaysTheSameFromMemory) {
  TrainRequest trained = Request("teacher");
  trained.epochs = 1;
  ASSERT_TRUE(Train(trained).ok());
  const auto model = model::Model::Open(env::RealFileSystem(), trained.out);
  ASSERT_TRUE(model.ok()) << model.status();
  const auto tokenizer = formats::OpenTokenizer(env::RealFileSystem(), trained.out);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  TrainRequest request = Request("student");
  request.teacher = trained.out;
  request.loss = {.task = 0, .logits = 1, .hidden = 1};
  auto forgetful = Teacher::Open(env::RealFileSystem(), request, *model, **tokenizer);
  auto teacher = Teacher::Open(env::RealFileSystem(), request, *model, **tokenizer);
  ASSERT_TRUE(forgetful.ok() && teacher.ok());
  (*teacher)->Remember(std::make_shared<TeacherMemory>(model->head, 1 << 20));
  TrainingBatch batch;
  batch.items = {4, 2};
  batch.ids = {2, 7, 9, 3, 2, 12, 3};
  batch.types.resize(7);
  batch.begins = {0, 4, 7};
  const auto plain = (*forgetful)->Say(batch, -1), first = (*teacher)->Say(batch, -1);
  ASSERT_TRUE(plain.ok() && first.ok());
  batch.ids[1] = 8;  // only the item counts once it is known
  const auto again = (*teacher)->Say(batch, -1);
  ASSERT_TRUE(again.ok());
  for (const auto* said : {&first, &again}) {
    EXPECT_TRUE((*said)->heads[0].equal(plain->heads[0]));
    ASSERT_EQ((*said)->hidden_states.size(), 3u);
    for (const std::size_t layer : {1, 2}) {
      EXPECT_TRUE((*said)->hidden_states[layer].equal(plain->hidden_states[layer]));
    }
  }
}

TEST_F(TrainerTest, StopsWhenTheLossIsNotFiniteAndSaysWhatToTry) {
  TrainRequest request = Request("out");
  request.model = WriteScratch(directory_, "huge", 16, 2, R"(, "initializer_range": 1e30)");
  EXPECT_THAT(
      MessageOf(request),
      AllOf(HasSubstr("step 1 (epoch 0.00): the loss is not finite, in the batch of examples"),
            HasSubstr("try a lower learning rate than 0.005")));
}

TEST_F(TrainerTest, KeepsTheStateBeforeALossThatIsNotFinite) {
  TrainRequest request = Request("out");
  request.weight_decay = 1e13;  // weights grow beyond bounds within a few steps
  const std::string error = MessageOf(request);
  EXPECT_THAT(error, AllOf(HasSubstr("is not finite"), HasSubstr("the last good state"),
                           ::testing::Not(HasSubstr("step 1 "))));
  EXPECT_FALSE(std::filesystem::exists(request.out)) << "before the first evaluation";
  EXPECT_TRUE(std::filesystem::exists(request.out + ".training/state.safetensors"));
  // It is not thrown away where --resume was forgotten.
  EXPECT_THAT(MessageOf(request), HasSubstr("--resume goes on with it"));
  EXPECT_TRUE(std::filesystem::exists(request.out + ".training/state.safetensors"));
  request.resume = true;
  EXPECT_THAT(MessageOf(request), HasSubstr("is not finite"));
}

TEST_F(TrainerTest, GoesOnOnlyWithTheDataAndTheModelItBeganWith) {
  TrainRequest request = Request("out");
  request.weight_decay = 1e13;
  MessageOf(request);
  request.resume = true;
  const std::string reviews = ReadText(train_);
  std::string other = reviews;
  other[other.find("good")] = 'f';  // "food": as many bytes
  WriteText(train_, other);
  EXPECT_THAT(MessageOf(request), HasSubstr("the run to resume was asked for something else: "
                                            "contents: "));
  WriteText(train_, reviews);
  request.threads += 1;
  EXPECT_THAT(MessageOf(request), HasSubstr("threads: "));
  request.threads -= 1;
  WriteText(scratch_ + "/config.json", ReadText(scratch_ + "/config.json") + "\n");
  EXPECT_THAT(MessageOf(request), HasSubstr("contents: "));
}

TEST_F(TrainerTest, StopsWhenNothingGetsBetter) {
  TrainRequest request = Request("out");
  request.learning_rate = 1e-9;  // nothing is learnt
  request.patience = 3;
  const auto result = Train(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->steps, 24);  // the first is the best of four, two an epoch of 12
}

TEST_F(TrainerTest, LaysItselfOutOverTheTimeThereIs) {
  TrainRequest request = Request("out");
  request.epochs = 100'000;
  request.max_seconds = 1.5;
  request.evaluations_per_epoch = 1;
  const auto result = Train(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GT(result->steps, 0);
  EXPECT_LT(result->steps, 1'200'000);
}

TEST_F(TrainerTest, SaysWhatIsWrongWithTheData) {
  TrainRequest request = Request("out");
  request.train = {File("one.tsv", "sentence\tlabel\ngood film\t1\ngood plot\t1\n")};
  EXPECT_THAT(MessageOf(request), AllOf(HasSubstr("one.tsv: all examples are of one class"),
                                        HasSubstr("\"positive\"")));
  request.train = {File("unknown.tsv", "sentence\tlabel\ngood film\tmaybe\n")};
  EXPECT_THAT(MessageOf(request), HasSubstr("unknown.tsv:2"));
  request.train = {File("columns.tsv", "text\tlabel\ngood film\t1\n")};
  EXPECT_THAT(MessageOf(request), HasSubstr("no column \"sentence\""));
  request.train = {File("empty.tsv", "sentence\tlabel\n \t1\n")};
  EXPECT_THAT(MessageOf(request), HasSubstr("empty.tsv: there is no text to train on"));
  request.train = {directory_ + "/absent.tsv"};
  EXPECT_THAT(MessageOf(request), HasSubstr("absent.tsv"));
  EXPECT_FALSE(std::filesystem::exists(request.out));
  EXPECT_FALSE(std::filesystem::exists(request.out + ".training"));

  request.train = {File("some.tsv", Reviews(20) + " \t1\n\t0\n")};
  request.max_steps = 1;
  std::vector<std::string> notes;
  const auto result = Train(request, [&](const TrainProgress& now) { notes.push_back(now.note); });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(notes, ::testing::Contains(HasSubstr("2 of 22 training examples are empty")));
}

TEST_F(TrainerTest, SaysWhatIsWrongWithTheRequest) {
  TrainRequest request = Request("out");
  request.teacher = scratch_;
  EXPECT_THAT(MessageOf(request), HasSubstr("no part of the loss asks it"));
  request.teacher = "";
  request.loss.logits = 1;
  EXPECT_THAT(MessageOf(request), HasSubstr("there is none"));
  request.loss = {};
  request.learning_rate = 0;
  EXPECT_THAT(MessageOf(request), HasSubstr("the learning rate is 0"));
  request.learning_rate = 1e-3;
  request.epochs = 1e300;
  EXPECT_THAT(MessageOf(request), HasSubstr("at most 1,000,000"));
  request.epochs = 1;
  request.task = "sst3";
  EXPECT_THAT(MessageOf(request), HasSubstr("unknown task \"sst3\""));
  request.task = "sst2";
  request.from_scratch = false;
  request.model = directory_ + "/nowhere";
  EXPECT_THAT(MessageOf(request), HasSubstr("nowhere: is not a directory"));
}

}  // namespace
}  // namespace hone::train
