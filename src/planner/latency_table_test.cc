#include "planner/latency_table.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hone::planner {
namespace {

using base::kMillisecondNs;
using base::TimeNs;
using testing::HasSubstr;

LatencyGrid SmallGrid() {
  return {.lengths = {16, 64}, .texts = {1, 4}, .ms = {1, 3, 2, 6}};
}

LatencyTable SmallTable() {
  return *LatencyTable::FromGrid(SmallGrid());
}

TEST(LatencyTable, GivesWhatWasMeasuredAtTheGridsPoints) {
  const LatencyTable table = SmallTable();
  EXPECT_EQ(table.Predict(1, 16), kMillisecondNs);
  EXPECT_EQ(table.Predict(4, 64), 3 * kMillisecondNs);
  EXPECT_EQ(table.Predict(1, 64), 2 * kMillisecondNs);
  EXPECT_EQ(table.Predict(4, 256), 6 * kMillisecondNs);
}

TEST(LatencyTable, IsLinearBetweenThem) {
  const LatencyTable table = SmallTable();
  EXPECT_EQ(table.Predict(1, 40), 1.5 * kMillisecondNs);
  EXPECT_EQ(table.Predict(2, 32), 1'666'667);  // a third of the way from 1 ms to 3 ms
}

TEST(LatencyTable, GrowsWithTheTokensBeyondTheLastPoint) {
  const LatencyTable table = SmallTable();
  EXPECT_EQ(table.Predict(1, 128), 4 * kMillisecondNs);
  EXPECT_EQ(table.Predict(8, 128), 6 * kMillisecondNs);
  EXPECT_EQ(table.Predict(8, 1024), 24 * kMillisecondNs);
}

TEST(LatencyTable, TakesAShortTextForTheShortestMeasured) {
  EXPECT_EQ(SmallTable().Predict(1, 2), kMillisecondNs);
}

TEST(LatencyTable, NeverFallsWithMoreWorkWhateverTheNoise) {
  const LatencyTable table = *LatencyTable::FromGrid(
      {.lengths = {16, 64}, .texts = {1, 2, 4}, .ms = {2, 1.9, 3, 1.8, 4, 3.5}});
  for (int texts = 1; texts < 6; ++texts) {
    for (int length = 1; length < 100; ++length) {
      EXPECT_LE(table.Predict(texts, texts * length), table.Predict(texts, texts * (length + 1)));
      EXPECT_LE(table.Predict(texts, texts * length),
                table.Predict(texts + 1, (texts + 1) * length));
    }
  }
  EXPECT_EQ(table.grid().ms[1], 1.9);  // kept as measured
}

TEST(LatencyTable, FollowsASlowerMachine) {
  LatencyTable table = SmallTable();
  for (int i = 0; i < 100; ++i) table.Observe(1, 16, 1.5 * kMillisecondNs, 0);
  EXPECT_NEAR(table.correction(), 1.5, 0.01);
  EXPECT_NEAR(static_cast<double>(table.Predict(4, 64)), 4.5e6, 0.03e6);
}

TEST(LatencyTable, IsNotPoisonedByOneStall) {
  LatencyTable table = SmallTable();
  table.Observe(1, 16, 500 * kMillisecondNs, 0);
  EXPECT_LE(table.correction(), 1.07);
  for (int i = 0; i < 40; ++i) table.Observe(1, 16, kMillisecondNs, 0);
  EXPECT_NEAR(table.correction(), 1, 0.01);
}

TEST(LatencyTable, KeepsItsCorrectionWithinFour) {
  LatencyTable table = SmallTable();
  for (int i = 0; i < 1000; ++i) table.Observe(1, 16, 500 * kMillisecondNs, 0);
  EXPECT_EQ(table.correction(), 4);
  for (int i = 0; i < 1000; ++i) table.Observe(1, 16, 1, 0);
  EXPECT_EQ(table.correction(), 0.25);
}

TEST(LatencyTable, ForgetsItsCorrectionWhereNothingRuns) {
  LatencyTable table = SmallTable();
  const base::TimeNs seen_at = 1000 * base::kSecondNs;
  for (int i = 0; i < 200; ++i) table.Observe(1, 16, 2 * kMillisecondNs, seen_at);
  const double slow = table.correction();
  EXPECT_NEAR(slow, 2, 0.01);
  table.Age(seen_at + base::kSecondNs / 2);
  EXPECT_EQ(table.correction(), slow) << "a moment is no age";
  table.Age(seen_at + kCorrectionHalfLifeNs);
  EXPECT_NEAR(table.correction(), 1.5, 0.01);
  // In small steps as in a large one.
  for (int i = 1; i <= 30; ++i) table.Age(seen_at + kCorrectionHalfLifeNs + i * base::kSecondNs);
  EXPECT_NEAR(table.correction(), 1.25, 0.01);
}

TEST(LatencyTable, StaysExactWhereEverythingIsAsPredicted) {
  LatencyTable table = SmallTable();
  for (int i = 1; i < 100; ++i) table.Observe(i % 7 + 1, i * 9, table.Predict(i % 7 + 1, i * 9), 0);
  EXPECT_EQ(table.correction(), 1);
}

TEST(LatencyGrid, ComesBackFromJsonAsItWas) {
  const LatencyGrid grid = SmallGrid();
  const auto read = ParseLatencyGrid(ToJson(grid), "table.json");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->lengths, grid.lengths);
  EXPECT_EQ(read->texts, grid.texts);
  EXPECT_EQ(read->ms, grid.ms);
}

TEST(LatencyGrid, NamesWhatIsWrong) {
  const struct {
    const char* json;
    const char* message;
  } cases[] = {
      {R"({"lengths":[16],"texts":[1]})", "ms"},
      {R"({"lengths":[16,16],"texts":[1],"ms":[[1],[2]]})", "lengths[1]: 16 does not ascend"},
      {R"({"lengths":[16],"texts":[2],"ms":[[1]]})", "texts[0]: expected 1"},
      {R"({"lengths":[16],"texts":[1],"ms":[[0]]})", "ms[0][0]"},
      {R"({"lengths":[16],"texts":[1],"ms":[[1,2]]})", "$.ms[0]: expected an array of 1 numbers"},
      {R"({"lengths":[0],"texts":[1],"ms":[[1]]})", "$.lengths[0]: expected 1 to"},
      {R"({"lengths":[],"texts":[1],"ms":[]})", "lengths: expected 1 to"},
      {R"({"lengths":[16],"texts":[1],"ms":[["x"]]})", "$.ms[0][0]"},
  };
  for (const auto& one : cases) {
    const auto read = ParseLatencyGrid(one.json, "table.json");
    ASSERT_FALSE(read.ok()) << one.json;
    EXPECT_THAT(read.status().message(), HasSubstr("table.json")) << one.json;
    EXPECT_THAT(read.status().message(), HasSubstr(one.message)) << one.json;
  }
}

}  // namespace
}  // namespace hone::planner
