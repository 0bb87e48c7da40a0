#include "runtime/answer_question.h"

#include <gtest/gtest.h>

namespace hone::runtime {
namespace {

// [CLS] q q [SEP] c0 … c(n-1) [SEP], with ids that tell which is which.
text::Encoding Pair(int context) {
  text::Encoding pair;
  const auto add = [&](int id, int type, int sequence) {
    pair.ids.push_back(id);
    pair.types.push_back(type);
    pair.offsets.push_back({static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id + 1)});
    pair.word.push_back(sequence < 0 ? -1 : id);
    pair.sequence.push_back(static_cast<std::int8_t>(sequence));
  };
  add(1, 0, -1);
  add(10, 0, 0);
  add(11, 0, 0);
  add(2, 0, -1);
  for (int i = 0; i < context; ++i) add(100 + i, 1, 1);
  add(2, 1, -1);
  return pair;
}

TEST(CutIntoWindows, KeepsWhatFitsAsItIs) {
  const auto windows = CutIntoWindows(Pair(6), 11, 2);
  ASSERT_TRUE(windows.ok());
  ASSERT_EQ(windows->size(), 1u);
  EXPECT_EQ(windows->front().ids, Pair(6).ids);
  EXPECT_EQ(windows->front().offsets, Pair(6).offsets);
}

TEST(CutIntoWindows, SharesTokensBetweenNeighboursAndCoversAll) {
  // Room for 5 context tokens at a time, 2 shared: steps of 3.
  const auto windows = CutIntoWindows(Pair(12), 10, 2);
  ASSERT_TRUE(windows.ok());
  std::vector<std::vector<std::int32_t>> contexts;
  for (const text::Encoding& window : *windows) {
    ASSERT_LE(window.ids.size(), 10u);
    EXPECT_EQ(std::vector(window.ids.begin(), window.ids.begin() + 4),
              (std::vector<std::int32_t>{1, 10, 11, 2}));
    EXPECT_EQ(window.ids.back(), 2);
    EXPECT_EQ(window.types.size(), window.ids.size());
    EXPECT_EQ(window.sequence.size(), window.ids.size());
    contexts.emplace_back(window.ids.begin() + 4, window.ids.end() - 1);
  }
  const std::vector<std::vector<std::int32_t>> expected = {{100, 101, 102, 103, 104},
                                                           {103, 104, 105, 106, 107},
                                                           {106, 107, 108, 109, 110},
                                                           {109, 110, 111}};
  EXPECT_EQ(contexts, expected);
}

TEST(CutIntoWindows, SharesNoMoreThanHalfTheRoom) {
  const auto windows = CutIntoWindows(Pair(4), 7, 128);
  ASSERT_TRUE(windows.ok());
  EXPECT_EQ(windows->size(), 3u);  // room for 2, 1 shared
  const auto long_context = CutIntoWindows(Pair(100), 15, 128);
  ASSERT_TRUE(long_context.ok());
  EXPECT_EQ(long_context->size(), 19u);  // room for 10, 5 shared; not 91 windows, a token apart
}

TEST(CutIntoWindows, RefusesAQuestionThatLeavesNoRoom) {
  const auto windows = CutIntoWindows(Pair(3), 5, 1);
  ASSERT_FALSE(windows.ok());
  EXPECT_EQ(windows.status().message(),
            "the question and special tokens take 5 of the model's 5 tokens and leave no room for "
            "the context");
}

TEST(CutIntoWindows, AnEmptyContextGivesOneWindow) {
  const auto windows = CutIntoWindows(Pair(0), 10, 2);
  ASSERT_TRUE(windows.ok());
  ASSERT_EQ(windows->size(), 1u);
}

}  // namespace
}  // namespace hone::runtime
