#include "eval/squad_metrics.h"

#include <gtest/gtest.h>

#include "eval/golden_test.h"

namespace hone::eval {
namespace {

TEST(NormalizeAnswer, EqualsThePublishedRegularExpressions) {
  const base::Json golden = Golden("squad");
  for (const base::JsonValue c : Member(golden.root(), "texts")) {
    EXPECT_EQ(NormalizeAnswer(String(Member(c, "text"))), String(Member(c, "normalized")))
        << c.Where();
  }
}

TEST(NormalizeAnswer, ReplacesInvalidUtf8) {
  EXPECT_EQ(NormalizeAnswer("The \xFF x"), "\uFFFD x");
}

TEST(AnswerScores, EqualThePublishedAlgorithm) {
  const base::Json golden = Golden("squad");
  for (const base::JsonValue c : Member(golden.root(), "pairs")) {
    const std::string expected = String(Member(c, "expected"));
    const std::string predicted = String(Member(c, "predicted"));
    EXPECT_EQ(AnswerExact(expected, predicted), Number(c, "exact")) << c.Where();
    EXPECT_NEAR(AnswerF1(expected, predicted, 0), Number(c, "f1_v1"), 1e-12) << c.Where();
    EXPECT_NEAR(AnswerF1(expected, predicted, 1), Number(c, "f1_v2"), 1e-12) << c.Where();
  }
}

void ExpectPart(const SquadPart& part, const base::JsonValue& golden) {
  EXPECT_NEAR(part.exact, Number(golden, "exact"), 1e-9) << golden.Where();
  EXPECT_NEAR(part.f1, Number(golden, "f1"), 1e-9) << golden.Where();
}

TEST(SquadScores, OfWholeSetsEqualThePublishedAlgorithm) {
  const base::Json golden = Golden("squad");
  for (const base::JsonValue set : Member(golden.root(), "sets")) {
    std::vector<Example> examples;
    std::vector<Prediction> predictions;
    for (const base::JsonValue row : Member(set, "rows")) {
      examples.emplace_back().answers = Strings(Member(row, "answers"));
      predictions.emplace_back().answer = String(Member(row, "predicted"));
    }
    if (Number(set, "version") == 1) {
      ExpectPart(ScoreSquad1(examples, predictions).all, set);
      continue;
    }
    const SquadScores scores = ScoreSquad2(examples, predictions);
    ExpectPart(scores.all, set);
    ExpectPart(scores.has_answer, Member(set, "HasAns"));
    ExpectPart(scores.no_answer, Member(set, "NoAns"));
    EXPECT_EQ(static_cast<double>(scores.no_answer.total), Number(Member(set, "NoAns"), "total"));
    EXPECT_GT(scores.no_answer.total, 0u);
    EXPECT_GT(scores.has_answer.total, 0u);
  }
}

}  // namespace
}  // namespace hone::eval
