#include "runtime/batch_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace hone::runtime {
namespace {

using testing::ElementsAre;

struct Texts {
  explicit Texts(const std::vector<int>& lengths) : begins(1, 0) {
    for (const int length : lengths) begins.push_back(begins.back() + length);
    ids.resize(static_cast<std::size_t>(begins.back()));
    std::iota(ids.begin(), ids.end(), 0);
    types = ids;
  }
  Batch batch(bool typed = true) const {
    return {ids, typed ? std::span<const std::int32_t>(types) : std::span<const std::int32_t>(),
            begins};
  }
  std::vector<std::int32_t> ids, types, begins;
};

// The tokens of each run.
std::vector<int> Sizes(const std::vector<int>& lengths, int most) {
  const Texts texts(lengths);
  std::vector<std::int32_t> begins;
  BatchRuns runs(texts.batch(), most, &begins);
  std::vector<int> sizes;
  for (BatchRun run; runs.Next(&run);) sizes.push_back(run.batch.tokens());
  return sizes;
}

TEST(BatchRuns, AreEvenAndWithinTheLimitButForLongTexts) {
  EXPECT_THAT(Sizes({5, 5, 5}, 100), ElementsAre(15));
  EXPECT_THAT(Sizes({5, 5, 5}, 15), ElementsAre(15));
  EXPECT_THAT(Sizes({5, 5, 5, 5}, 15), ElementsAre(10, 10));  // not 15 and 5
  EXPECT_THAT(Sizes({9, 9, 9}, 10), ElementsAre(9, 9, 9));
  EXPECT_THAT(Sizes({1, 30, 1, 1}, 10), ElementsAre(1, 30, 2));
  EXPECT_THAT(Sizes({7}, 1), ElementsAre(7));
}

TEST(BatchRuns, HandOutEveryTextOnceAndWhole) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<int> lengths(1 + random() % 40);
    for (int& length : lengths) length = static_cast<int>(1 + random() % 60);
    const Texts texts(lengths);
    const bool typed = round % 2 == 0;
    std::vector<std::int32_t> begins;
    BatchRuns runs(texts.batch(typed), 64, &begins);
    std::size_t text = 0;
    std::int32_t token = 0;
    for (BatchRun run; runs.Next(&run);) {
      EXPECT_EQ(run.first_token, token);
      EXPECT_LE(run.batch.tokens(), 64);
      ASSERT_EQ(run.batch.begins.front(), 0);
      ASSERT_EQ(run.batch.begins.back(), run.batch.tokens());
      EXPECT_EQ(run.batch.types.size(), typed ? run.batch.ids.size() : 0);
      for (int b = 0; b < run.batch.texts(); ++b, ++text) {
        ASSERT_LT(text, lengths.size());
        EXPECT_EQ(run.batch.length(b), lengths[text]);
      }
      for (std::size_t i = 0; i < run.batch.ids.size(); ++i, ++token) {
        EXPECT_EQ(run.batch.ids[i], token);
        if (typed) {
          EXPECT_EQ(run.batch.types[i], token);
        }
      }
    }
    EXPECT_EQ(text, lengths.size());
  }
}

}  // namespace
}  // namespace hone::runtime
