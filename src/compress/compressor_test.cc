// Whole compressions of a tiny model, for a device that is elsewhere: nothing is timed, so every run
// gives the same ladder, and a run that was interrupted anywhere must give it too.
#include "compress/compressor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "base/check.h"
#include "compress/draft.h"
#include "compress/ladder/verify.h"
#include "compress/latency/test_profile.h"
#include "env/clock.h"
#include "env/cpus.h"
#include "env/faulty_files.h"
#include "formats/test_directory.h"
#include "model/model.h"
#include "runtime/tasks/scores.h"
#include "runtime/text_model.h"
#include "tests/support/tiny_models.h"

namespace hone::compress {
namespace {

using base::StatusOr;
using testing::HasSubstr;

class CompressTest : public formats::TestDirectory {
 protected:
  void SetUp() override {
    for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
      if (tiny.name == "bert/embed-mean") model_ = tests::WriteTinyModel(tiny, directory_);
    }
    std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    for (char c = 'a'; c <= 'z'; ++c) base::StrAppend(&vocabulary, c, "\n##", c, "\n");
    ASSERT_TRUE(env::WriteFile(files_, model_ + "/vocab.txt", vocabulary).ok());
    std::string lines;
    for (int i = 0; i < 24; ++i) base::StrAppend(&lines, Words(i), "\n");
    Put("lines.txt", lines);
    Put("dev.jsonl", Pairs([](int i) { return i % 6; }));
    const model::ModelConfig config = (*model::Model::Open(files_, model_)).config;
    Put("device.json", ToJson(ProfileElsewhere(config)));
  }

  static std::string Words(int i) {
    std::string text;
    for (int w = 0; w < 3 + i % 4; ++w) {
      base::StrAppend(&text, w > 0 ? " " : "", static_cast<char>('a' + (i + 7 * w) % 26),
                      static_cast<char>('a' + (5 * i + w) % 26));
    }
    return text;
  }

  static std::string Pairs(int (*label)(int i)) {
    std::string pairs;
    for (int i = 0; i < 24; ++i) {
      base::StrAppend(&pairs, R"({"sentence1": ")", Words(i), R"(", "sentence2": ")",
                      Words(3 * i + 1), R"(", "label": )", label(i), "}\n");
    }
    return pairs;
  }

  // Labels that are the dense model's own answers, to which every rounding is a loss.
  std::string PairsAsTheModelSeesThem() {
    const auto model = runtime::TextModel::Open(files_, model_, {});
    HONE_CHECK(model.ok());
    std::string pairs;
    for (int i = 0; i < 52; ++i) {  // as many texts as Words can tell apart
      for (int j = i + 1; j < std::min(i + 7, 52); ++j) {
        const std::string first = Words(i), second = Words(j);
        const runtime::TextInput texts[] = {{first}, {second}};
        const auto output = (*model)->Run(texts);
        HONE_CHECK(output.ok() && output->rows.size() == 1);
        const std::span<const float> vectors = output->rows.front();
        const std::size_t width = vectors.size() / 2;
        const double similarity = runtime::Cosine(vectors.first(width), vectors.last(width));
        base::StrAppend(&pairs, R"({"sentence1": ")", first, R"(", "sentence2": ")", second,
                        R"(", "label": )", 2.5 * (1 + similarity), "}\n");
      }
    }
    return pairs;
  }

  CompressRequest Request(const std::string& out) const {
    CompressRequest request;
    request.model = model_;
    request.out = Path(out);
    request.task = "stsb";
    request.text = Path("lines.txt");
    request.dev = Path("dev.jsonl");
    request.speedups = {6, 2.5};
    request.threads = 1;
    request.work_threads = 2;
    request.device_profile = Path("device.json");
    request.recipe.name = "test";
    request.recipe.text = "name: test\n";
    PruneStage prune;
    prune.samples = 24;
    prune.candidates = 6;
    prune.search_samples = 12;
    request.recipe.stages.push_back({1, prune});
    if (trained_) request.recipe.stages.push_back({2, DistillStage{}});
    request.recipe.stages.push_back({3, QuantizeStage{}});
    return request;
  }

  StatusOr<LadderReport> Run(const CompressRequest& request, env::FileSystem& files) {
    CompressTools tools{.files = files, .trainer = trainer_, .report = {}, .now_ns = {}};
    tools.now_ns = [this] { return env::NowNs() + late_ns_; };
    tools.report = [this](const CompressProgress& progress) {
      if (!progress.news.empty()) base::StrAppend(&news_, progress.news, "\n");
      if (progress.step.ends_with(": timing")) late_ns_ += timing_ns_;
    };
    return Compress(request, tools);
  }
  StatusOr<LadderReport> Run(const CompressRequest& request) { return Run(request, files_); }

  std::string Error(const CompressRequest& request) { return Run(request).status().message(); }

  // A fault at any operation leaves what a second command ends with the ladder of an undisturbed one.
  void ExpectResumes(CompressRequest request) {
    const std::string out = request.out;
    request.out = Path("whole");
    const auto undisturbed = Run(request);
    ASSERT_TRUE(undisturbed.ok()) << undisturbed.status();
    const std::string whole = ToJson(*undisturbed);
    request.out = out;
    int runs = 0;
    for (int fail_at = 0;; fail_at += 1 + fail_at / 4) {
      ASSERT_FALSE(files_.IsDirectory(out));
      env::FaultyFiles faulty(files_, fail_at);
      const auto broken = Run(request, faulty);
      if (faulty.operations() <= fail_at) {
        EXPECT_TRUE(broken.ok()) << broken.status();
        break;
      }
      ASSERT_FALSE(broken.ok()) << fail_at;
      const auto resumed = Run(request);
      ASSERT_TRUE(resumed.ok()) << "after a fault at " << fail_at << ": " << resumed.status();
      EXPECT_EQ(ToJson(*resumed), whole) << "after a fault at " << fail_at;
      ASSERT_TRUE(files_.RemoveTree(out).ok());
      ++runs;
    }
    EXPECT_GT(runs, 8);
  }

  // The candidates of each rung, as the news have them.
  std::vector<std::string> Candidates() const {
    std::vector<std::string> candidates;
    for (std::size_t at = 0; (at = news_.find(" candidates, ", at)) != std::string::npos; ++at) {
      const std::size_t begin = news_.rfind('\n', at) + 1;
      candidates.push_back(news_.substr(begin, at - begin));
    }
    return candidates;
  }

  std::string model_, news_;
  std::int64_t timing_ns_ = 0, late_ns_ = 0;  // what a timing takes by the clock, and took so far
  Trainer trainer_;
  bool trained_ = false;
};

TEST_F(CompressTest, MakesALadderThatIsWhatItSays) {
  const auto ladder = Run(Request("out"));
  ASSERT_TRUE(ladder.ok()) << ladder.status();
  ASSERT_EQ(ladder->rungs.size(), 2u);
  EXPECT_EQ(ladder->rungs[0].path, "2.5x") << "the slowest first";
  EXPECT_EQ(ladder->rungs[1].path, "6x");
  EXPECT_TRUE(ladder->device.predicted);
  EXPECT_THAT(news_, HasSubstr("nothing is timed here"));
  for (const LadderRung& rung : ladder->rungs) {
    // Levels are coarse in so small a model: a rung is no slower than asked for.
    EXPECT_GE(rung.speedup, 0.98 * rung.target.speedup) << rung.path;
    EXPECT_EQ(rung.model.format, "int8");
    EXPECT_LT(rung.model.parameters, ladder->dense.parameters);
    const auto model = model::Model::Open(files_, Path("out/" + rung.path));
    ASSERT_TRUE(model.ok()) << model.status();
    for (std::size_t l = 0; l < rung.model.layers.size(); ++l) {
      EXPECT_EQ(rung.model.layers[l].heads, model->config.layers[l].heads);
      EXPECT_EQ(rung.model.layers[l].ffn, model->config.layers[l].ffn);
    }
  }
  for (const LadderRung& rung : ladder->rungs) {
    const bool off = std::abs(rung.speedup / rung.target.speedup - 1) > 0.05;
    EXPECT_EQ(news_.find(rung.path + ": is ") != std::string::npos, off) << rung.speedup;
  }
  EXPECT_FALSE(files_.IsDirectory(Path("out.partial")));
  const auto read = ReadLadder(files_, Path("out"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ToJson(*read), ToJson(*ladder));
  EXPECT_THAT(*CheckHashes(files_, Path("out"), *read, {}), testing::IsEmpty());
}

TEST_F(CompressTest, TimingTakesNothingOfTheTimeToSearch) {
  ASSERT_TRUE(Run(Request("free")).ok());
  const std::vector<std::string> without_limit = Candidates();
  ASSERT_EQ(without_limit.size(), 2u);
  news_.clear();
  // Each timing takes longer than the plan gives to the whole search of a rung.
  timing_ns_ = std::int64_t{1'000'000} * 1'000'000'000;
  CompressRequest request = Request("limited");
  request.budget_seconds = 1e7;
  ASSERT_TRUE(Run(request).ok());
  EXPECT_GT(late_ns_, 0);
  EXPECT_EQ(Candidates(), without_limit);
}

TEST_F(CompressTest, AFaultAnywhereIsResumedToTheSameLadder) {
  ExpectResumes(Request("out"));
}

TEST_F(CompressTest, AFaultInTheSearchForADropIsResumedToTheSameLadder) {
  CompressRequest request = Request("out");
  request.speedups = {2.5};
  request.max_drop = 1000;
  ExpectResumes(request);
}

TEST_F(CompressTest, AFailedTrainingKeepsWhatWasDone) {
  trained_ = true;
  int calls = 0, fail_at = 2;
  std::map<std::string, int> begun_from;
  // Stands where training is: hands the model on as it is, or fails as training does on a NaN.
  trainer_ = [&](const TrainRequest& request, const TrainReport&) -> StatusOr<TrainResult> {
    if (request.check_only) return TrainResult{};
    ++begun_from[request.model];
    if (++calls == fail_at) return base::BadInput("the loss at step 7 is not a number");
    EXPECT_EQ(request.teacher, model_);
    EXPECT_EQ(request.task, "stsb");
    EXPECT_TRUE(request.text_lines) << "unlabelled text alone";
    EXPECT_EQ(request.loss.task, 0);
    EXPECT_EQ(request.threads, 2) << "those of the work, not those of the model";
    EXPECT_EQ(request.max_tokens, model::Model::Open(files_, model_)->max_text_tokens);
    HONE_ASSIGN_OR_RETURN(const Draft draft, Draft::Open(files_, request.model));
    HONE_RETURN_IF_ERROR(draft.Write(request.out, {.replace = true}));
    TrainResult result;
    result.steps = 10;
    result.metric = "spearman";
    result.best = 0.5;
    return result;
  };
  const std::string error = Error(Request("out"));
  EXPECT_THAT(error, testing::AllOf(HasSubstr("6x"), HasSubstr("step 7 is not a number")));
  EXPECT_TRUE(files_.IsDirectory(Path("out.partial/2.5x-2-quantize"))) << "the finished rung stays";
  fail_at = 0;
  const auto resumed = Run(Request("out"));
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->rungs.size(), 2u);
  EXPECT_EQ(calls, 3) << "the first rung was not trained again";
  EXPECT_EQ(begun_from.at(Path("out.partial/2.5x-0-prune")), 1);
  EXPECT_EQ(begun_from.at(Path("out.partial/6x-0-prune")), 2);
  EXPECT_THAT(news_, HasSubstr("going on with the unfinished work"));
  EXPECT_THAT(news_, HasSubstr("plan: 1 rung by")) << "what is made needs no time any more";
  for (const char* stage : {"prune", "distill", "rung"}) {
    EXPECT_EQ(std::ranges::count(resumed->points, stage, &LadderPoint::stage), 2) << stage;
  }
}

TEST_F(CompressTest, ABudgetIsPlannedAnewBeforeEachRung) {
  trained_ = true;
  std::vector<double> limits;
  trainer_ = [&](const TrainRequest& request, const TrainReport&) -> StatusOr<TrainResult> {
    if (request.check_only) return TrainResult{};
    limits.push_back(request.max_seconds);
    late_ns_ += std::int64_t{900'000} * 1'000'000'000;
    HONE_ASSIGN_OR_RETURN(const Draft draft, Draft::Open(files_, request.model));
    HONE_RETURN_IF_ERROR(draft.Write(request.out, {.replace = true}));
    return TrainResult{};
  };
  CompressRequest request = Request("out");
  request.budget_seconds = 1e6;
  ASSERT_TRUE(Run(request).ok());
  ASSERT_EQ(limits.size(), 2u);
  EXPECT_NEAR(limits[0], 450'000, 20'000);
  EXPECT_NEAR(limits[1], 90'000, 10'000) << "the first left only 100,000 s";
}

TEST_F(CompressTest, MaxDropGivesTheFastestRungWithinIt) {
  CompressRequest request = Request("out");
  request.speedups.clear();
  request.max_drop = 1000;  // no drop is so large: the fastest that was tried
  const auto ladder = Run(request);
  ASSERT_TRUE(ladder.ok()) << ladder.status();
  ASSERT_EQ(ladder->rungs.size(), 1u);
  EXPECT_EQ(ladder->rungs[0].target.max_drop, 1000);
  double fastest = 0;
  for (const LadderPoint& point : ladder->points) {
    if (point.stage == "rung") fastest = std::max(fastest, 1 / point.latency_ms);
  }
  EXPECT_DOUBLE_EQ(1 / ladder->rungs[0].model.latency.p50_ms, fastest);
}

TEST_F(CompressTest, ATargetThatIsMissedLeavesTheOthersTheirLadder) {
  CompressRequest request = Request("out");
  // Fast enough without any block, but those of a layer must stay.
  std::get<PruneStage>(request.recipe.stages[0].what).modules.ignore = {"re:.*layer\\.0\\..*"};
  request.speedups = {6, 1.5};
  const auto ladder = Run(request);
  ASSERT_TRUE(ladder.ok()) << ladder.status();
  ASSERT_EQ(ladder->rungs.size(), 1u);
  EXPECT_EQ(ladder->rungs[0].path, "1.5x");
  ASSERT_EQ(ladder->missed.size(), 1u);
  EXPECT_THAT(ladder->missed[0], HasSubstr("6x: no shape of this model"));
  EXPECT_THAT(news_, HasSubstr(ladder->missed[0]));
  // Nothing else: that is an error.
  request.out = Path("other");
  request.speedups = {6};
  EXPECT_THAT(Error(request), HasSubstr("no shape of this model"));
}

TEST_F(CompressTest, ADropThatNoRungKeepsLeavesTheTargetsTheirLadder) {
  CompressRequest request = Request("out");
  request.speedups = {6};
  request.max_drop = 1e-9;
  Put("dev.jsonl", PairsAsTheModelSeesThem());
  const auto ladder = Run(request);
  ASSERT_TRUE(ladder.ok()) << ladder.status();
  ASSERT_EQ(ladder->missed.size(), 1u);
  EXPECT_THAT(ladder->missed[0], HasSubstr("no rung stays within"));
  ASSERT_EQ(ladder->rungs.size(), 1u) << "those tried on the way are points alone";
  EXPECT_EQ(ladder->rungs[0].path, "6x");
}

TEST_F(CompressTest, RefusesWhatCannotBe) {
  CompressRequest request = Request("out");
  request.speedups = {100};
  EXPECT_THAT(Error(request), testing::AllOf(HasSubstr("100x cannot be met"),
                                             HasSubstr("is the most that is possible")));
  EXPECT_FALSE(files_.IsDirectory(Path("out.partial")))
      << "what is asked instead is another request";
  request = Request("out");
  request.speedups = {0.5};
  EXPECT_THAT(Error(request), HasSubstr("expected more than 1"));
  request.speedups.clear();
  EXPECT_THAT(Error(request), HasSubstr("nothing to aim for"));
  request = Request("out");
  request.dev = Path("nowhere.tsv");
  EXPECT_THAT(Error(request), HasSubstr("nowhere.tsv: is no file"));
  request = Request("out");
  request.text.clear();
  EXPECT_THAT(Error(request), HasSubstr("needs texts"));
  request = Request("out");
  request.budget_seconds = 1e-3;
  EXPECT_THAT(Error(request), HasSubstr("too short"));
  Put("taken", "");
  EXPECT_THAT(Error(Request("taken")), HasSubstr("exists already"));
}

TEST_F(CompressTest, RefusesAProfileOfAnotherShape) {
  DeviceProfile profile = ProfileElsewhere((*model::Model::Open(files_, model_)).config);
  profile.width *= 2;
  Put("device.json", ToJson(profile));
  EXPECT_THAT(Error(Request("out")), HasSubstr("hone profile-device"));
}

TEST_F(CompressTest, RefusesReshapingThatTheModelDoesNotAllow) {
  CompressRequest request = Request("out");
  request.recipe.path = "mine.yaml";
  const auto with = [&](const auto& stage) {
    request.recipe.stages.front() = {7, stage};
    request.recipe.stages.push_back({8, PruneStage{}});
    return Error(request);
  };
  EXPECT_THAT(with(DropLayersStage{.layers = 1000}),
              testing::AllOf(HasSubstr("mine.yaml:7: drop_layers: 1000 layers are to remain"),
                             HasSubstr("that the model has")));
  EXPECT_THAT(with(NarrowStage{.width = 10'000}), HasSubstr("mine.yaml:7: narrow: width 10000"));
  const int head_size = (*model::Model::Open(files_, model_)).config.head_size;
  EXPECT_THAT(with(NarrowStage{.width = head_size}),
              HasSubstr("mine.yaml:7: narrow: only classifiers"));
  EXPECT_FALSE(files_.IsFile(Path("out.partial/profile.json")));
}

TEST_F(CompressTest, RefusesAWorkloadThatIsNotTheProfiles) {
  CompressRequest request = Request("out");
  request.batch = 4;
  EXPECT_THAT(Error(request), HasSubstr("was measured with batch 1 and texts of 8 tokens"));
  request = Request("out");
  request.sequence = 4;
  EXPECT_THAT(Error(request), HasSubstr("was measured with batch 1 and texts of 8 tokens"));
  request.sequence = 8;
  ASSERT_TRUE(Run(request).ok());
  EXPECT_THAT(news_, HasSubstr("2 threads, batch 1, texts of 8 tokens"));
  // Of this device: the times are compared with the clock's.
  DeviceProfile profile = ProfileElsewhere((*model::Model::Open(files_, model_)).config);
  profile.processor = env::ProcessorName();
  profile.isa = base::IsaName(request.isa);
  Put("device.json", ToJson(profile));
  request.out = Path("here");
  EXPECT_THAT(Error(request), HasSubstr("was measured with 2 threads, batch 1"));
}

TEST_F(CompressTest, SaysThatARecipesDropIsNotForTargets) {
  CompressRequest request = Request("out");
  request.recipe.max_drop = 2;
  ASSERT_TRUE(Run(request).ok());
  EXPECT_THAT(news_, HasSubstr("the recipe's max_drop of 2 points is for a command without"));
}

TEST_F(CompressTest, RefusesTheWorkOfAnotherRequest) {
  // Far enough for a step to be done.
  for (int fail_at = 10; !files_.IsFile(Path("out.partial/state.json")); fail_at += 5) {
    env::FaultyFiles faulty(files_, fail_at);
    ASSERT_FALSE(Run(Request("out"), faulty).ok());
  }
  CompressRequest other = Request("out");
  other.speedups = {3};
  EXPECT_THAT(Error(other), HasSubstr("another request"));
}

}  // namespace
}  // namespace hone::compress
