#include "train/teacher_memory.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <initializer_list>

namespace hone::train {
namespace {

constexpr int kWidth = 6, kLayers = 2;
constexpr std::int64_t kTokens[] = {3, 1, 4, 2};  // of each item

model::Head TokenHead() {
  model::Head head;
  head.outputs.resize(2);
  head.outputs[0].rows = model::Rows::kFirst;
  head.outputs[1].rows = model::Rows::kAll;
  return head;
}

TrainingBatch BatchOf(std::initializer_list<std::uint32_t> items) {
  TrainingBatch batch;
  batch.begins = {0};
  for (const std::uint32_t item : items) {
    batch.items.push_back(item);
    batch.ids.resize(batch.ids.size() + static_cast<std::size_t>(kTokens[item]));
    batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
  }
  return batch;
}

// What a teacher says: a function of item, token, layer and column.
Outputs Says(const TrainingBatch& batch) {
  Outputs outputs;
  outputs.hidden_states.resize(kLayers + 1);
  for (int layer = 1; layer <= kLayers; ++layer) {
    std::vector<at::Tensor> rows;
    for (const std::uint32_t item : batch.items) {
      rows.push_back(
          at::arange(kTokens[item] * kWidth, at::kFloat).mul(0.37).add(100.0 * item + layer).sin());
    }
    outputs.hidden_states[static_cast<std::size_t>(layer)] = at::cat(rows).view({-1, kWidth});
  }
  std::vector<float> first, all;
  for (const std::uint32_t item : batch.items) {
    first.insert(first.end(), {static_cast<float>(item), 0.1f});
    for (int t = 0; t < kTokens[item]; ++t) all.push_back(static_cast<float>(10 * item) + 0.3f * t);
  }
  outputs.heads = {at::tensor(first).view({-1, 2}), at::tensor(all).view({-1, 1})};
  TeacherMemory::Round(&outputs);
  return outputs;
}

void ExpectSame(const Outputs& is, const Outputs& expected) {
  ASSERT_EQ(is.hidden_states.size(), expected.hidden_states.size());
  for (std::size_t i = 1; i < is.hidden_states.size(); ++i) {
    EXPECT_TRUE(is.hidden_states[i].equal(expected.hidden_states[i])) << i;
  }
  ASSERT_EQ(is.heads.size(), expected.heads.size());
  for (std::size_t i = 0; i < is.heads.size(); ++i) {
    EXPECT_TRUE(is.heads[i].equal(expected.heads[i])) << i;
  }
}

TEST(TeacherMemory, RecallsInAnyBatchWhatWasSaidInAnother) {
  TeacherMemory memory(TokenHead(), 1 << 20);
  memory.Keep(BatchOf({0, 2}), Says(BatchOf({0, 2})));
  Outputs outputs;
  EXPECT_FALSE(memory.Recall(BatchOf({2, 3}), &outputs));
  EXPECT_TRUE(outputs.heads.empty());
  memory.Keep(BatchOf({3, 1}), Says(BatchOf({3, 1})));
  const TrainingBatch batch = BatchOf({2, 0, 3, 1});
  ASSERT_TRUE(memory.Recall(batch, &outputs));
  ExpectSame(outputs, Says(batch));
}

TEST(TeacherMemory, RoundsToWhatItKeepsAndNoFurther) {
  Outputs outputs;
  outputs.hidden_states = {at::Tensor(), at::tensor({1.0f, 1.004f, 3e38f}).view({1, 3})};
  TeacherMemory::Round(&outputs);
  EXPECT_TRUE(at::allclose(outputs.hidden_states[1], at::tensor({1.0f, 1.004f, 3e38f}), 1.0 / 256));
  const at::Tensor once = outputs.hidden_states[1];
  TeacherMemory::Round(&outputs);
  EXPECT_TRUE(outputs.hidden_states[1].equal(once));
}

TEST(TeacherMemory, KeepsWhatFitsIntoItsBytes) {
  const std::uint64_t first_item = KeptHiddenBytes(3, kWidth, kLayers) + 4 * (2 + 3);
  TeacherMemory memory(TokenHead(), first_item + 10);
  memory.Keep(BatchOf({0, 2}), Says(BatchOf({0, 2})));
  EXPECT_EQ(memory.bytes(), first_item);
  Outputs outputs;
  EXPECT_TRUE(memory.Recall(BatchOf({0}), &outputs));
  EXPECT_FALSE(memory.Recall(BatchOf({0, 2}), &outputs));
}

TEST(TeacherMemory, KeepsNothingOfHiddenWords) {
  model::Head head;
  head.outputs.resize(1);
  head.outputs[0].rows = model::Rows::kMasked;
  TeacherMemory memory(head, 1 << 20);
  Outputs says;
  says.heads = {at::ones({1, 4})};
  memory.Keep(BatchOf({0}), says);
  EXPECT_EQ(memory.bytes(), 0u);
}

}  // namespace
}  // namespace hone::train
