#include "eval/entity_metrics.h"

#include <gtest/gtest.h>

#include "eval/golden_test.h"

namespace hone::eval {
namespace {

TEST(Entities, EqualSeqeval) {
  const base::Json golden = Golden("entities");
  ASSERT_GE(golden.root().size(), 11);
  for (const base::JsonValue c : golden.root()) {
    std::vector<Example> examples;
    std::vector<Prediction> predictions;
    for (const base::JsonValue tags : Member(c, "expected")) {
      examples.emplace_back().tags = Strings(tags);
    }
    for (const base::JsonValue tags : Member(c, "predicted")) {
      predictions.emplace_back().tags = Strings(tags);
    }
    const EntityScores scores = ScoreEntities(examples, predictions);
    EXPECT_NEAR(scores.all.Precision(), Number(c, "precision"), 1e-12) << c.Where();
    EXPECT_NEAR(scores.all.Recall(), Number(c, "recall"), 1e-12) << c.Where();
    EXPECT_NEAR(scores.all.F1(), Number(c, "f1"), 1e-12) << c.Where();
    EXPECT_NEAR(scores.accuracy, Number(c, "accuracy"), 1e-12) << c.Where();

    std::size_t sentence = 0;
    for (const base::JsonValue list : Member(c, "entities")) {
      std::vector<Entity> expected;
      for (const base::JsonValue entity : list) {
        expected.push_back({String(*entity.At(0)), static_cast<int>(*entity.At(1)->Int()),
                            static_cast<int>(*entity.At(2)->Int())});
      }
      EXPECT_EQ(FindEntities(examples[sentence++].tags), expected) << list.Where();
    }
  }
}

TEST(Entities, CountTruncatedWordsAsOutside) {
  std::vector<Example> examples(1);
  examples[0].tags = {"B-X", "O", "B-X", "I-X"};
  std::vector<Prediction> predictions(1);
  predictions[0].tags = {"B-X"};
  const EntityScores scores = ScoreEntities(examples, predictions);
  EXPECT_EQ(scores.all.Precision(), 1.0);
  EXPECT_EQ(scores.all.Recall(), 0.5);
  EXPECT_EQ(scores.accuracy, 0.5);
  EXPECT_EQ(scores.by_type.at("X").right, 1u);
}

Example Command(const char* intent, std::vector<std::string> tags) {
  Example example;
  example.intent = intent;
  example.tags = std::move(tags);
  return example;
}

Prediction Answer(const char* intent, std::vector<std::string> tags) {
  Prediction prediction;
  prediction.intent = intent;
  prediction.tags = std::move(tags);
  return prediction;
}

TEST(IntentsAndSlots, AreExactOnlyTogether) {
  const std::vector<Example> examples = {
      Command("play", {"O", "B-song", "I-song"}), Command("play", {"O", "B-song"}),
      Command("call", {"O", "B-contact"}), Command("stop", {"O"})};
  const std::vector<Prediction> predictions = {
      Answer("play", {"O", "I-song", "I-song"}),                   // the same entity
      Answer("play", {"O", "B-artist"}),                           // of another type
      Answer("message", {"O", "B-contact"}), Answer("stop", {})};  // truncated where nothing was
  const JointScores scores = ScoreIntentsAndSlots(examples, predictions);
  EXPECT_EQ(scores.exact, 0.5);
  EXPECT_EQ(scores.intent_accuracy, 0.75);
  EXPECT_EQ(scores.slots.all.expected, 3u);
  EXPECT_EQ(scores.slots.all.right, 2u);
}

}  // namespace
}  // namespace hone::eval
