#include "compress/ladder/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hone::compress {
namespace {

// "turn off the kids room light", "stop" and ten more like it.
DevSet Commands() {
  DevSet dev;
  dev.task = *eval::FindTask("intent_slots");
  eval::Example& light = dev.examples.items.emplace_back();
  light.words = {"turn", "off", "kids", "room"};
  light.tags = {"O", "O", "B-room", "I-room"};
  light.intent = "light_off";
  for (int i = 0; i < 11; ++i) {
    eval::Example& stop = dev.examples.items.emplace_back();
    stop.words = {"stop"};
    stop.tags = {"O"};
    stop.intent = "media_pause";
  }
  return dev;
}

std::vector<eval::Prediction> Right(const DevSet& dev) {
  std::vector<eval::Prediction> predictions;
  for (const eval::Example& example : dev.examples.items) {
    eval::Prediction& prediction = predictions.emplace_back();
    prediction.intent = example.intent;
    prediction.tags = example.tags;
  }
  return predictions;
}

TEST(FindChanged, AJointTasksAnswerIsItsIntentAndItsSlots) {
  const DevSet dev = Commands();
  const std::vector<eval::Prediction> dense = Right(dev);
  std::vector<eval::Prediction> rung = dense;
  std::size_t count = 7;
  EXPECT_TRUE(FindChanged(dev, dense, rung, 40, &count).empty());
  EXPECT_EQ(count, 0u);

  rung[0].tags = {"O", "O", "O", "B-room"};  // the same intent
  rung[5].intent = "media_next";             // the same slots
  const std::vector<ChangedAnswer> changed = FindChanged(dev, dense, rung, 40, &count);
  EXPECT_EQ(count, 2u);
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_EQ(changed[0].text, "turn off kids room");
  EXPECT_EQ(changed[0].expected, "light_off: O O B-room I-room");
  EXPECT_EQ(changed[0].dense, changed[0].expected);
  EXPECT_EQ(changed[0].rung, "light_off: O O O B-room");
  EXPECT_EQ(changed[1].text, "stop");
  EXPECT_EQ(changed[1].rung, "media_next: O");
}

TEST(FindChanged, ShowsSomeOfManyEvenlyAndCountsAll) {
  const DevSet dev = Commands();
  const std::vector<eval::Prediction> dense = Right(dev);
  std::vector<eval::Prediction> rung = dense;
  for (eval::Prediction& prediction : rung) prediction.intent = "cancel";
  std::size_t count = 0;
  const std::vector<ChangedAnswer> changed = FindChanged(dev, dense, rung, 3, &count);
  EXPECT_EQ(count, 12u);
  ASSERT_EQ(changed.size(), 3u);
  EXPECT_EQ(changed[0].text, "turn off kids room");
}

}  // namespace
}  // namespace hone::compress
