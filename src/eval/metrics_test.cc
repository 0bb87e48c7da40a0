#include "eval/metrics.h"

#include <gtest/gtest.h>

#include "eval/golden_test.h"

namespace hone::eval {
namespace {

TEST(ClassMetrics, EqualScikitLearn) {
  const base::Json golden = Golden("classes");
  ASSERT_GE(golden.root().size(), 9);
  for (const base::JsonValue c : golden.root()) {
    const std::vector<int> expected = Ints(Member(c, "expected"));
    const std::vector<int> predicted = Ints(Member(c, "predicted"));
    EXPECT_NEAR(Accuracy(expected, predicted), Number(c, "accuracy"), 1e-12) << c.Where();
    EXPECT_NEAR(Matthews(expected, predicted), Number(c, "matthews"), 1e-12) << c.Where();
    if (c.Find("f1")) {
      EXPECT_NEAR(BinaryF1(expected, predicted), Number(c, "f1"), 1e-12) << c.Where();
    }
  }
}

TEST(ClassMetrics, CountNoPredictionAsWrong) {
  const std::vector<int> expected = {1, 0, 1}, predicted = {1, -1, -1};
  EXPECT_DOUBLE_EQ(Accuracy(expected, predicted), 1.0 / 3);
  EXPECT_DOUBLE_EQ(BinaryF1(expected, predicted), 2.0 / 3);
}

TEST(Correlation, EqualsScipyWithTiesAndExtremeScales) {
  const base::Json golden = Golden("correlations");
  ASSERT_GE(golden.root().size(), 7);
  for (const base::JsonValue c : golden.root()) {
    const std::vector<double> x = Doubles(Member(c, "x")), y = Doubles(Member(c, "y"));
    EXPECT_NEAR(Pearson(x, y), Number(c, "pearson"), 1e-9) << c.Where();
    EXPECT_NEAR(Spearman(x, y), Number(c, "spearman"), 1e-12) << c.Where();
  }
}

TEST(Correlation, OfAConstantIsNotANumber) {
  const std::vector<double> constant = {0.1, 0.1, 0.1}, rising = {1, 2, 3};
  EXPECT_TRUE(std::isnan(Pearson(constant, rising)));
  EXPECT_TRUE(std::isnan(Spearman(rising, constant)));
}

TEST(Ranks, ShareTheirMeanAndPutNanLast) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Ranks(std::vector<double>{5, nan, 1, 5, 5}), (std::vector<double>{3, 5, 1, 3, 3}));
}

}  // namespace
}  // namespace hone::eval
