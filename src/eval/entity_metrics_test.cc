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

}  // namespace
}  // namespace hone::eval
