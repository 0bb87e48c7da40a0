#include "compress/latency/latency.h"

#include <gtest/gtest.h>

namespace hone::compress {
namespace {

// 30 turns of two models, 1 ms and 2 ms; every fourth turn something else took the processor.
std::vector<Turn> Disturbed(double factor) {
  std::vector<Turn> turns;
  for (int i = 0; i < 30; ++i) {
    const double slower = i % 4 == 0 ? factor : 1;
    turns.push_back({1 * slower, 2 * slower});
  }
  return turns;
}

TEST(FiguresOfTurns, MediansAreOfQuietTurnsAndTailsOfAll) {
  const std::vector<LatencyFigures> figures = FiguresOf({Disturbed(5)});
  ASSERT_EQ(figures.size(), 2u);
  EXPECT_DOUBLE_EQ(figures[0].p50_ms, 1);
  EXPECT_DOUBLE_EQ(figures[0].p95_ms, 5) << "a quarter of the passes took that long";
  EXPECT_DOUBLE_EQ(figures[0].p99_ms, 5);
  EXPECT_DOUBLE_EQ(figures[1].p50_ms, 2);
  EXPECT_DOUBLE_EQ(figures[1].p95_ms, 10);
}

TEST(FiguresOfTurns, LeavesATurnOutForAllModelsOrForNone) {
  // The first model has its best where the second was disturbed: that turn is not among the quiet.
  const std::vector<LatencyFigures> figures =
      FiguresOf({{{0.9, 8}, {1, 2}, {1.1, 2.1}, {1.2, 2.2}, {5, 2}, {6, 2}}});
  EXPECT_DOUBLE_EQ(figures[0].p50_ms, 1.05);
  EXPECT_DOUBLE_EQ(figures[1].p50_ms, 2.05);
  EXPECT_GT(figures[0].p95_ms, 5);
}

TEST(FiguresOfTurns, EveryBatchCountsAlike) {
  // Short texts and long ones: half of the passes each, so the median lies between.
  std::vector<std::vector<Turn>> turns(2, std::vector<Turn>(9));
  for (int i = 0; i < 9; ++i) {
    turns[0][static_cast<std::size_t>(i)] = {1};
    turns[1][static_cast<std::size_t>(i)] = {3};
  }
  const std::vector<LatencyFigures> figures = FiguresOf(turns);
  EXPECT_DOUBLE_EQ(figures[0].p50_ms, 2);
  EXPECT_DOUBLE_EQ(figures[0].p95_ms, 3);
  EXPECT_LE(FiguresOf({{{1}, {2}}})[0].p50_ms, FiguresOf({{{1}, {2}}})[0].p95_ms);
}

TEST(FiguresOfTurns, AMedianBetweenTwoLengthsMovesEvenly) {
  // Texts of 8 and of 9 tokens, a tenth of a step more of the shorter ones each time.
  double before = 0;
  for (int shorter = 45; shorter <= 55; ++shorter) {
    std::vector<std::vector<Turn>> turns;
    for (int batch = 0; batch < 100; ++batch) {
      turns.emplace_back(3, Turn{batch < shorter ? 8.0 : 9.0});
    }
    const double p50_ms = FiguresOf(turns)[0].p50_ms;
    if (before > 0) {
      EXPECT_NEAR(before - p50_ms, 0.05, 0.01) << shorter;
    }
    before = p50_ms;
  }
}

TEST(RepresentativeBatches, KeepTheDistributionInOrderOfLength) {
  std::vector<int> lengths;
  for (int i = 0; i < 100; ++i) lengths.push_back(100 - i);
  const auto batches = RepresentativeBatches(lengths, 1, 10);
  ASSERT_EQ(batches.size(), 10u);
  EXPECT_EQ(batches.front(), std::vector<int>{6});
  EXPECT_EQ(batches.back(), std::vector<int>{96});
  // A file shorter than a batch is used again from its beginning.
  EXPECT_EQ(RepresentativeBatches({7, 9}, 3, 10), (std::vector<std::vector<int>>{{7, 9, 7}}));
}

}  // namespace
}  // namespace hone::compress
