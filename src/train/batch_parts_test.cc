#include "train/batch_parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone::train {
namespace {

using ::testing::ElementsAre;

// Items of two texts each; token t of the batch is t itself.
TrainingBatch PairBatch(const std::vector<int>& lengths) {
  TrainingBatch batch;
  batch.begins = {0};
  for (std::size_t text = 0; text < lengths.size(); ++text) {
    for (int t = 0; t < lengths[text]; ++t) {
      batch.ids.push_back(static_cast<std::int32_t>(batch.ids.size()));
      batch.types.push_back(static_cast<std::int32_t>(text % 2));
      batch.token_labels.push_back(batch.ids.back() + 100);
    }
    batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
    if (text % 2 == 1) continue;
    batch.items.push_back(static_cast<std::uint32_t>(text / 2 + 50));
    batch.labels.push_back(static_cast<std::int64_t>(text / 2));
    batch.scores.push_back(static_cast<float>(text));
  }
  return batch;
}

TEST(SplitBatch, CutsBetweenItemsNearTheMiddleOfTheTokens) {
  TrainingBatch whole = PairBatch({3, 2, 4, 1, 2, 2, 1, 1});  // items of 5, 5, 4 and 2 tokens
  whole.masked = {1, 6, 12};
  whole.masked_words = {7, 8, 9};
  const std::vector<BatchPart> parts = SplitBatch(whole, 2);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_THAT(parts[0].batch.items, ElementsAre(50, 51));
  EXPECT_THAT(parts[0].batch.begins, ElementsAre(0, 3, 5, 9, 10));
  EXPECT_THAT(parts[0].batch.masked, ElementsAre(1, 6));
  EXPECT_THAT(parts[1].batch.items, ElementsAre(52, 53));
  EXPECT_THAT(parts[1].batch.begins, ElementsAre(0, 2, 4, 5, 6));
  EXPECT_THAT(parts[1].batch.ids, ElementsAre(10, 11, 12, 13, 14, 15));
  EXPECT_THAT(parts[1].batch.types, ElementsAre(0, 0, 1, 1, 0, 1));
  EXPECT_THAT(parts[1].batch.token_labels, ElementsAre(110, 111, 112, 113, 114, 115));
  EXPECT_THAT(parts[1].batch.labels, ElementsAre(2, 3));
  EXPECT_THAT(parts[1].batch.scores, ElementsAre(4, 6));
  EXPECT_THAT(parts[1].batch.masked, ElementsAre(2));
  EXPECT_THAT(parts[1].batch.masked_words, ElementsAre(9));
  EXPECT_EQ(parts[1].token, 10);
  EXPECT_EQ(parts[1].text, 4);
  EXPECT_EQ(parts[1].masked, 2);
}

TEST(SplitBatch, LeavesNoPartEmpty) {
  const TrainingBatch one = PairBatch({3, 2});
  ASSERT_EQ(SplitBatch(one, 4).size(), 1u);
  EXPECT_EQ(SplitBatch(one, 4)[0].batch.ids, one.ids);
  std::size_t items = 0;
  for (const BatchPart& part : SplitBatch(PairBatch({90, 9, 1, 1, 1, 1, 1, 1}), 3)) {
    EXPECT_FALSE(part.batch.items.empty());
    items += part.batch.items.size();
  }
  EXPECT_EQ(items, 4u);
}

TEST(PartOf, TakesTheRowsOfTheHeadsKind) {
  const TrainingBatch whole = PairBatch({3, 2, 4, 1, 2, 2, 1, 1});
  model::Head head;
  head.outputs.resize(2);
  head.outputs[0].rows = model::Rows::kFirst;
  head.outputs[1].rows = model::Rows::kAll;
  Outputs says;
  says.heads = {at::arange(8, at::kFloat).view({8, 1}), at::arange(16, at::kFloat).view({16, 1})};
  says.hidden_states = {at::Tensor(), says.heads[1] * 2};
  const Outputs mine = PartOf(says, SplitBatch(whole, 2)[1], head);
  EXPECT_TRUE(mine.heads[0].equal(says.heads[0].slice(0, 4, 8)));
  EXPECT_TRUE(mine.heads[1].equal(says.heads[1].slice(0, 10, 16)));
  EXPECT_FALSE(mine.hidden_states[0].defined());
  EXPECT_TRUE(mine.hidden_states[1].equal(says.hidden_states[1].slice(0, 10, 16)));
}

}  // namespace
}  // namespace hone::train
