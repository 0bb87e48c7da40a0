#include "train/losses.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hone::train {
namespace {

at::Tensor Rows(std::vector<float> values, std::int64_t width) {
  return at::tensor(values, at::kFloat).view({-1, width});
}

double Value(const at::Tensor& loss) {
  return loss.item<double>();
}

// -log softmax(x)[i]
double CrossEntropy(const std::vector<double>& x, std::size_t i) {
  double sum = 0;
  for (const double v : x) sum += std::exp(v);
  return std::log(sum) - x[i];
}

TEST(TaskLoss, OfAnswersIsOverEachTextsOwnTokens) {
  TrainingBatch batch;
  batch.begins = {0, 2, 5};
  batch.first_answers = {1, 0};
  batch.last_answers = {1, 2};
  const at::Tensor logits = Rows({1, 0, 2, 1, 0, 3, 1, 1, 2, 0}, 2);
  const double expected = (CrossEntropy({1, 2}, 1) + CrossEntropy({0, 1, 2}, 0) +
                           CrossEntropy({0, 1}, 1) + CrossEntropy({3, 1, 0}, 2)) /
                          4;
  EXPECT_NEAR(Value(TaskLoss(Objective::kAnswer, {logits}, batch)), expected, 1e-5);
}

TEST(TaskLoss, OfTagsLeavesOutTokensWithoutLabel) {
  TrainingBatch batch;
  batch.token_labels = {kNoLabel, 1, kNoLabel};
  const at::Tensor logits = Rows({9, 0, 1, 2, 0, 9}, 2);
  EXPECT_NEAR(Value(TaskLoss(Objective::kTags, {logits}, batch)), CrossEntropy({1, 2}, 1), 1e-5);
  batch.token_labels = {kNoLabel, kNoLabel, kNoLabel};
  EXPECT_EQ(Value(TaskLoss(Objective::kTags, {logits}, batch)), 0);
}

TEST(TaskLoss, OfSimilarityIsOfTheCosine) {
  TrainingBatch batch;
  batch.scores = {0.5f, 1.0f};
  const at::Tensor vectors = Rows({1, 0, 0, 2, 1, 1, 3, 3}, 2);
  EXPECT_NEAR(Value(TaskLoss(Objective::kSimilarity, {vectors}, batch)), 0.125, 1e-6);
}

TEST(LogitsLoss, IsTheDivergenceFromTheTeacherTimesTheSquareOfTheTemperature) {
  model::Head head;
  head.task = model::Task::kSequenceClassification;
  const at::Tensor student = Rows({0, 2}, 2), teacher = Rows({0, 4}, 2);
  const double p = 1 / (1 + std::exp(2.0)), q = 1 / (1 + std::exp(1.0));  // at τ = 2
  const double expected = 4 * (p * std::log(p / q) + (1 - p) * std::log((1 - p) / (1 - q)));
  EXPECT_NEAR(Value(LogitsLoss(head, {student}, {teacher}, {}, 2)), expected, 1e-6);
  EXPECT_NEAR(Value(LogitsLoss(head, {teacher}, {teacher}, {}, 2)), 0, 1e-6);
  head.problem = model::ProblemType::kRegression;
  EXPECT_NEAR(Value(LogitsLoss(head, {student}, {teacher}, {}, 2)), 2, 1e-6);
}

TEST(LogitsLoss, OfVectorsWantsTheirDirectionsAndTheirLikeness) {
  model::Head head;
  head.task = model::Task::kEmbedding;
  const at::Tensor teacher = Rows({1, 0, 0, 1, 1, 1, 2, 1}, 2);
  EXPECT_NEAR(Value(LogitsLoss(head, {teacher * 3}, {teacher}, {}, 1)), 0, 1e-5);
  // Turned by a right angle: likeness is kept, direction is not.
  const at::Tensor turned = Rows({0, 1, -1, 0, -1, 1, -1, 2}, 2);
  EXPECT_NEAR(Value(LogitsLoss(head, {turned}, {teacher}, {}, 1)), 1, 1e-5);
  // A wider student's likeness alone counts.
  const at::Tensor wider = at::cat({teacher, at::zeros({4, 3})}, 1);
  EXPECT_NEAR(Value(LogitsLoss(head, {wider}, {teacher}, {}, 1)), 0, 1e-5);
}

TEST(ConsistencyLoss, IsHalfTheSumOfBothDivergencesAndMovesBothAnswers) {
  model::Head head;
  head.task = model::Task::kSequenceClassification;
  at::Tensor a = Rows({0, 2}, 2).set_requires_grad(true);
  at::Tensor b = Rows({0, -1}, 2).set_requires_grad(true);
  const double p = 1 / (1 + std::exp(2.0)), q = 1 / (1 + std::exp(-1.0));
  const double expected = ((p - q) * std::log(p / q) + (q - p) * std::log((1 - p) / (1 - q))) / 2;
  const at::Tensor loss = ConsistencyLoss(head, {a}, {b}, {});
  EXPECT_NEAR(Value(loss), expected, 1e-6);
  EXPECT_NEAR(Value(ConsistencyLoss(head, {b}, {a}, {})), expected, 1e-6);
  EXPECT_EQ(Value(ConsistencyLoss(head, {a}, {a}, {})), 0);
  loss.backward();
  EXPECT_GT(a.grad()[0][1].item<double>(), 0.01) << "towards the other's";
  EXPECT_LT(b.grad()[0][1].item<double>(), -0.01);

  // Of several labels each is two outcomes: as two classes whose logits are 0 and its own.
  head.problem = model::ProblemType::kMultiLabel;
  EXPECT_NEAR(Value(ConsistencyLoss(head, {Rows({2, 7}, 2)}, {Rows({-1, 7}, 2)}, {})), expected / 2,
              1e-6);
  head.problem = model::ProblemType::kRegression;
  EXPECT_NEAR(Value(ConsistencyLoss(head, {Rows({3}, 1)}, {Rows({1}, 1)}, {})), 4, 1e-6);
}

TEST(HiddenLoss, MapsLayersEvenlyAndDividesByTheTeachersSize) {
  const at::Tensor zero = at::zeros({1, 2});
  const at::Tensor one = at::ones({1, 2});
  // One layer learns from the last of two, whatever the first says.
  EXPECT_NEAR(Value(HiddenLoss({zero, one * 3}, {zero, one * 100, one * 4}, {})), 1.0 / 16, 1e-5);
  EXPECT_NEAR(Value(HiddenLoss({zero, zero, one}, {zero, one, one}, {})), 0.5, 1e-5);
  const at::Tensor projection = Rows({1, 0, 0, 1, 1, 1}, 2);  // 2 → 3
  EXPECT_NEAR(Value(HiddenLoss({zero, one}, {at::zeros({1, 3}), Rows({1, 1, 2}, 3)}, projection)),
              0, 1e-5);
}

TEST(RelationsLoss, LooksWithinEachTextOnly) {
  at::manual_seed(1);
  Outputs student, teacher;
  teacher.heads_of_relations = 2;
  for (at::Tensor Outputs::*part : {&Outputs::query, &Outputs::key, &Outputs::value}) {
    student.*part = at::randn({5, 4});
    teacher.*part = at::randn({5, 8});
  }
  const std::vector<std::int32_t> both = {0, 2, 5}, first = {0, 2}, second = {0, 3};
  const auto rows = [](const Outputs& all, std::int64_t begin, std::int64_t end) {
    Outputs some;
    some.query = all.query.slice(0, begin, end);
    some.key = all.key.slice(0, begin, end);
    some.value = all.value.slice(0, begin, end);
    some.heads_of_relations = all.heads_of_relations;
    return some;
  };
  const double whole = Value(RelationsLoss(student, teacher, both));
  const double a = Value(RelationsLoss(rows(student, 0, 2), rows(teacher, 0, 2), first));
  const double b = Value(RelationsLoss(rows(student, 2, 5), rows(teacher, 2, 5), second));
  EXPECT_GT(whole, 0);
  EXPECT_NEAR(whole, (2 * a + 3 * b) / 5, 1e-5);
  EXPECT_NEAR(Value(RelationsLoss(teacher, teacher, both)), 0, 1e-6);
}

}  // namespace
}  // namespace hone::train
