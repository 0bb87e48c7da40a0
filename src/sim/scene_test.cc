#include "sim/scene.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hone::sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

planner::LatencyGrid Flat(double ms) {
  return {.lengths = {32}, .texts = {1}, .ms = {ms}};
}

planner::TableFile File(const std::string& name) {
  return {.model = name,
          .device = "",
          .rungs = {
              {.name = "dense", .accuracy = 0.9, .widths = {1, 2}, .tables = {Flat(8), Flat(5)}}}};
}

TEST(MakeSetup, TakesEachExecutorsTable) {
  const auto setup = MakeSetup({File("intent"), File("tag")}, {2, 1, 1});
  ASSERT_TRUE(setup.ok()) << setup.status();
  EXPECT_THAT(setup->widths, ElementsAre(1, 2));
  ASSERT_EQ(setup->executors.size(), 3u);
  EXPECT_EQ(setup->executors[0].width, 1);  // an index: of two threads
  ASSERT_EQ(setup->models.size(), 2u);
  EXPECT_EQ(setup->models[1].name, "tag");
  EXPECT_EQ(setup->models[1].rungs[0].tables[1].Predict(1, 32), 5'000'000);
}

TEST(MakeSetup, NamesTheRungThatWasNotMeasuredSo) {
  const auto setup = MakeSetup({File("intent")}, {4});
  EXPECT_THAT(setup.status().message(),
              HasSubstr("model \"intent\", rung \"dense\": was not measured with 4 threads; "
                        "there are 1, 2"));
}

TEST(MakeMemory, IsWhatTheFilesTell) {
  planner::TableFile file = File("intent");
  EXPECT_THAT(MakeMemory({file}, 100).status().message(),
              HasSubstr("model \"intent\", rung \"dense\": \"bytes\" is missing"));
  file.rungs[0].bytes = 40;
  file.rungs[0].load_ms = 7;
  const auto memory = MakeMemory({file}, 100);
  ASSERT_TRUE(memory.ok()) << memory.status();
  EXPECT_EQ(memory->budget_bytes, 100U);
  EXPECT_EQ(memory->models[0].rungs[0].bytes, 40U);
  EXPECT_EQ(memory->models[0].rungs[0].load_ms, 7);
}

TEST(MakeRequests, MixesTheStreamsInTheOrderOfTime) {
  const std::vector<Stream> streams = {
      {.model = 0,
       .arrivals = {.process = load::Process::kUniform},
       .rate_per_s = 100,
       .deadline_ns = 5'000'000},
      {.model = 1,
       .arrivals = {.process = load::Process::kTrace},
       .trace = {{.at = 0, .tokens = 7}, {.at = 15'000'000, .tokens = 9000}},
       .rate_per_s = 0,
       .deadline_ns = 9'000'000}};
  const auto requests = MakeRequests(streams, 30'000'000, 1);
  ASSERT_EQ(requests.size(), 5u);  // at 0, 10, 20 ms and at 0, 15 ms
  EXPECT_EQ(requests[1].model, 1);
  EXPECT_EQ(requests[1].tokens, 7);
  EXPECT_EQ(requests[3].at, 15'000'000);
  EXPECT_EQ(requests[3].tokens, 512);  // no text is longer
  EXPECT_EQ(requests[3].deadline, 24'000'000);
  EXPECT_EQ(requests[4].deadline, 25'000'000);
}

TEST(MeasuredLayouts, AreTheServersWhereAllWasMeasured) {
  EXPECT_THAT(MeasuredLayouts({File("intent")}, 2)->threads, ElementsAre(2, 1, 1));
  planner::TableFile narrow = File("tag");
  narrow.rungs[0].widths = {1};
  narrow.rungs[0].tables = {Flat(8)};
  EXPECT_THAT(MeasuredLayouts({File("intent"), narrow}, 2)->threads, ElementsAre(1, 1));
  narrow.rungs[0].widths = {3};
  EXPECT_THAT(MeasuredLayouts({narrow}, 2).status().message(), HasSubstr("name the split"));
}

TEST(MakeSetup, BeginsWithTheFirstOfSeveralSplits) {
  const auto layouts = *MeasuredLayouts({File("intent")}, 2);
  const auto setup = MakeSetup({File("intent")}, layouts);
  ASSERT_TRUE(setup.ok()) << setup.status();
  ASSERT_EQ(setup->executors.size(), 3u);
  EXPECT_TRUE(setup->executors[0].enabled);
  EXPECT_FALSE(setup->executors[1].enabled);
  EXPECT_EQ(setup->widths, layouts.widths);
}

}  // namespace
}  // namespace hone::sim
