#include "train/losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logical_not.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"
#include "train/fused_ops.h"

namespace hone::train {
namespace {

constexpr double kEpsilon = 1e-6;
// Sharpness of the distribution over a batch's texts, that of contrastive sentence encoders.
constexpr double kLikeness = 20;

at::Tensor Indices(std::span<const std::int64_t> values) {
  return at::tensor(at::ArrayRef<std::int64_t>(values.data(), values.size()), at::kLong);
}

at::Tensor Floats(std::span<const float> values) {
  return at::tensor(at::ArrayRef<float>(values.data(), values.size()), at::kFloat);
}

// Ragged rows as a rectangle: index [B, longest] of rows, 0 beyond a text's end, and where that is.
struct Padding {
  at::Tensor index, absent;
};

Padding Pad(std::span<const std::int32_t> begins) {
  const std::size_t texts = begins.size() - 1;
  std::int32_t longest = 0;
  for (std::size_t b = 0; b < texts; ++b) longest = std::max(longest, begins[b + 1] - begins[b]);
  Padding padding;
  const auto rows = static_cast<std::int64_t>(texts);
  padding.index = at::zeros({rows, longest}, at::kLong);
  padding.absent = at::ones({rows, longest}, at::kBool);
  auto index = padding.index.accessor<std::int64_t, 2>();
  auto absent = padding.absent.accessor<bool, 2>();
  for (std::size_t b = 0; b < texts; ++b) {
    for (std::int32_t t = 0; t < begins[b + 1] - begins[b]; ++t) {
      index[static_cast<std::int64_t>(b)][t] = begins[b] + t;
      absent[static_cast<std::int64_t>(b)][t] = false;
    }
  }
  return padding;
}

// Column `column` of logits [T,2] as [B, longest], with what no softmax picks beyond the end.
at::Tensor PadColumn(const at::Tensor& logits, std::int64_t column, const Padding& padding) {
  return logits.select(1, column).index({padding.index}).masked_fill(padding.absent, -1e9);
}

// τ² Σ p_t (log p_t - log p_s), mean over rows.
at::Tensor Divergence(const at::Tensor& student, const at::Tensor& teacher, double temperature) {
  const at::Tensor s = at::log_softmax(student / temperature, -1);
  const at::Tensor t = at::log_softmax(teacher / temperature, -1);
  return (t.exp() * (t - s)).sum(-1).mean() * (temperature * temperature);
}

at::Tensor UnitRows(const at::Tensor& x) {
  return x / x.norm(2, {1}, true).clamp_min(1e-12);
}

at::Tensor AnswerLoss(const at::Tensor& logits, const TrainingBatch& batch) {
  const Padding padding = Pad(batch.begins);
  const at::Tensor begin =
      at::cross_entropy_loss(PadColumn(logits, 0, padding), Indices(batch.first_answers));
  const at::Tensor end =
      at::cross_entropy_loss(PadColumn(logits, 1, padding), Indices(batch.last_answers));
  return (begin + end) / 2;
}

// Mean over the tokens that have a label; 0 where none has.
at::Tensor TokenLoss(const at::Tensor& logits, std::span<const std::int64_t> labels) {
  const bool any = std::ranges::any_of(labels, [](std::int64_t l) { return l != kNoLabel; });
  if (!any) return logits.sum() * 0;
  return at::cross_entropy_loss(logits, Indices(labels), {}, at::Reduction::Mean, kNoLabel);
}

at::Tensor VectorLoss(const at::Tensor& student, const at::Tensor& teacher) {
  const at::Tensor s = UnitRows(student), t = UnitRows(teacher);
  at::Tensor loss = at::zeros({});
  if (s.size(1) == t.size(1)) loss = loss + (1 - (s * t).sum(1)).mean();
  if (s.size(0) < 3) return loss;  // of two texts each is only like the other
  // A text is always most like itself: left out, or it would be all of the distribution.
  const at::Tensor self = at::eye(s.size(0), at::kBool);
  const at::Tensor likeness_s = (at::mm(s, s.t()) * kLikeness).masked_fill(self, -1e9);
  const at::Tensor likeness_t = (at::mm(t, t.t()) * kLikeness).masked_fill(self, -1e9);
  return loss + Divergence(likeness_s, likeness_t, 1);
}

// log softmax of x xᵀ/√d within each text and relation head: [B, A, longest, longest].
at::Tensor LogRelations(const at::Tensor& x, std::int64_t heads, const Padding& padding) {
  const std::int64_t size = x.size(1) / heads;
  const at::Tensor padded = x.index({padding.index})
                                .view({padding.index.size(0), padding.index.size(1), heads, size})
                                .transpose(1, 2);
  const at::Tensor scores =
      at::matmul(padded, padded.transpose(2, 3)) / std::sqrt(static_cast<double>(size));
  return at::log_softmax(scores.masked_fill(padding.absent.unsqueeze(1).unsqueeze(2), -1e9), -1);
}

}  // namespace

at::Tensor TaskLoss(Objective objective, const std::vector<at::Tensor>& heads,
                    const TrainingBatch& batch) {
  const at::Tensor& out = heads[0];
  switch (objective) {
    case Objective::kText: return at::zeros({});
    case Objective::kLabel: return at::cross_entropy_loss(out, Indices(batch.labels));
    case Objective::kMultiLabel:
      return at::binary_cross_entropy_with_logits(
          out, at::one_hot(Indices(batch.labels), out.size(1)).to(at::kFloat));
    case Objective::kRegression: return at::mse_loss(out.select(1, 0), Floats(batch.scores));
    case Objective::kSimilarity: {
      const at::Tensor unit = UnitRows(out).view({out.size(0) / 2, 2, out.size(1)});
      const at::Tensor cosine = (unit.select(1, 0) * unit.select(1, 1)).sum(1);
      return at::mse_loss(cosine, Floats(batch.scores));
    }
    case Objective::kTags: return TokenLoss(out, batch.token_labels);
    case Objective::kAnswer: return AnswerLoss(out, batch);
    case Objective::kJoint:
      return at::cross_entropy_loss(out, Indices(batch.labels)) +
             TokenLoss(heads[1], batch.token_labels);
    case Objective::kMaskedWords: return at::cross_entropy_loss(out, Indices(batch.masked_words));
  }
  HONE_CHECK(false);
}

at::Tensor LogitsLoss(const model::Head& head, const std::vector<at::Tensor>& student,
                      const std::vector<at::Tensor>& teacher, std::span<const std::int32_t> begins,
                      double temperature) {
  const double square = temperature * temperature;
  switch (head.task) {
    case model::Task::kEmbedding: return VectorLoss(student[0], teacher[0]);
    case model::Task::kQuestionAnswering: {
      const Padding padding = Pad(begins);
      at::Tensor loss = at::zeros({});
      for (const std::int64_t column : {0, 1}) {
        loss = loss + Divergence(PadColumn(student[0], column, padding),
                                 PadColumn(teacher[0], column, padding), temperature) /
                          2;
      }
      return loss;
    }
    case model::Task::kSequenceClassification:
      if (head.problem == model::ProblemType::kRegression) {
        return at::mse_loss(student[0], teacher[0]);
      }
      if (head.problem == model::ProblemType::kMultiLabel) {
        return at::binary_cross_entropy_with_logits(student[0] / temperature,
                                                    at::sigmoid(teacher[0] / temperature)) *
               square;
      }
      return Divergence(student[0], teacher[0], temperature);
    case model::Task::kTokenClassification:
    case model::Task::kFillMask:
    case model::Task::kJoint: break;
  }
  at::Tensor loss = at::zeros({});
  for (std::size_t i = 0; i < student.size(); ++i) {
    loss = loss + Divergence(student[i], teacher[i], temperature);
  }
  return loss;
}

at::Tensor ConsistencyLoss(const model::Head& head, const std::vector<at::Tensor>& a,
                           const std::vector<at::Tensor>& b, std::span<const std::int32_t> begins) {
  if (head.task == model::Task::kSequenceClassification &&
      head.problem == model::ProblemType::kMultiLabel) {
    // KL(p ‖ q) + KL(q ‖ p) = (p - q) (log odds of p - log odds of q); each class's two outcomes.
    return ((at::sigmoid(a[0]) - at::sigmoid(b[0])) * (a[0] - b[0])).mean() / 2;
  }
  return (LogitsLoss(head, a, b, begins, 1) + LogitsLoss(head, b, a, begins, 1)) / 2;
}

at::Tensor HiddenLoss(const std::vector<at::Tensor>& student,
                      const std::vector<at::Tensor>& teacher, const at::Tensor& projection) {
  HONE_CHECK(student.size() >= 2 && teacher.size() >= 2);
  const std::size_t layers = student.size() - 1, teacher_layers = teacher.size() - 1;
  at::Tensor loss = at::zeros({});
  for (std::size_t i = 1; i <= layers; ++i) {
    // Nothing is compared with the embeddings' own output, which [0] is.
    const at::Tensor& t =
        teacher[std::max<std::size_t>(1, (2 * i * teacher_layers + layers) / (2 * layers))];
    const at::Tensor s = projection.defined() ? at::mm(student[i], projection.t()) : student[i];
    loss = loss + MeanDistance(s, t, kEpsilon);
  }
  return loss / static_cast<double>(layers);
}

at::Tensor RelationsLoss(const Outputs& student, const Outputs& teacher,
                         std::span<const std::int32_t> begins) {
  std::int64_t heads = std::gcd(student.query.size(1), teacher.query.size(1));
  const std::int64_t most = teacher.heads_of_relations;
  for (std::int64_t fewer = std::min(heads, most); fewer > 0; --fewer) {
    if (heads % fewer == 0) {
      heads = fewer;
      break;
    }
  }
  const Padding padding = Pad(begins);
  // Rows beyond a text's end say nothing.
  const at::Tensor present = at::logical_not(padding.absent).to(at::kFloat).unsqueeze(1);
  const at::Tensor rows = present.sum() * static_cast<double>(heads);
  at::Tensor loss = at::zeros({});
  for (at::Tensor Outputs::*part : {&Outputs::query, &Outputs::key, &Outputs::value}) {
    const at::Tensor s = LogRelations(student.*part, heads, padding);
    const at::Tensor t = LogRelations(teacher.*part, heads, padding);
    loss = loss + ((t.exp() * (t - s)).sum(-1) * present).sum() / rows;
  }
  return loss / 3;
}

}  // namespace hone::train
