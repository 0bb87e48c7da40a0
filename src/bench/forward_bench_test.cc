#include "bench/forward_bench.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "env/file.h"
#include "model/model.h"
#include "tests/isa_limit.h"
#include "tests/support/tiny_models.h"

namespace hone::bench {
namespace {

class ForwardBench : public testing::Test {
 protected:
  void SetUp() override {
    for (const tests::TinyModel& tiny : tests::AllTinyModels()) {
      if (tiny.name != "bert/embed-mean") continue;
      auto model = model::Model::Open(env::RealFileSystem(),
                                      tests::WriteTinyModel(tiny, testing::TempDir()));
      ASSERT_TRUE(model.ok()) << model.status();
      model_ = *std::move(model);
      auto engine = runtime::LocalEngine::Load(model_, {.threads = 1, .isa = tests::IsaLimit()});
      ASSERT_TRUE(engine.ok()) << engine.status();
      engine_ = *std::move(engine);
    }
    ASSERT_NE(engine_, nullptr);
  }

  Timing Bench(const std::vector<std::vector<int>>& batches, const Effort& effort,
               const std::function<void(double)>& progress = {}) {
    return BenchForward(*engine_, 1, model_.config.vocabulary, batches, effort, progress);
  }

  model::Model model_;
  std::unique_ptr<runtime::LocalEngine> engine_;
};

TEST_F(ForwardBench, TheMeanIsOfWhatWasTimed) {
  const std::vector<std::vector<int>> batches = {{3, 3}, {5, 5}, {20, 20}};
  EXPECT_EQ(Bench(batches, {.reps = 2}).mean_tokens, 8);
  EXPECT_EQ(Bench(batches, {.reps = 4}).mean_tokens, (6 + 10 + 40 + 6) / 4.0);
  EXPECT_EQ(Bench(batches, {.reps = 4}).reps, 4);
}

TEST_F(ForwardBench, WarmsUpAFewBatchesAndTheLargest) {
  EXPECT_EQ(Bench({{3}, {4}}, {.reps = 1}).warm_ups, 2);
  std::vector<std::vector<int>> many(1000, {3});
  const int few = Bench(many, {.reps = 1}).warm_ups;
  EXPECT_LT(few, 20);
  many[700] = {20};
  EXPECT_EQ(Bench(many, {.reps = 1}).warm_ups, few + 1);
}

TEST_F(ForwardBench, SaysHowFarItIs) {
  double last = 0;
  int calls = 0;
  Bench({{3}}, {.seconds = 0.35}, [&](double share) {
    EXPECT_GE(share, last);
    EXPECT_LE(share, 1);
    last = share;
    ++calls;
  });
  EXPECT_GE(calls, 1);
  EXPECT_LE(calls, 4) << "ten times a second at most";
}

}  // namespace
}  // namespace hone::bench
