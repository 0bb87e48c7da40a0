#include "train/batch_loss.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "train/losses.h"
#include "train/part_gradients.h"
#include "train/random.h"

namespace hone::train {
namespace {

enum Stream : std::uint64_t { kDropout = 11, kProjection = 12 };

}  // namespace

BatchLoss::BatchLoss(const compress::TrainRequest& request, const Prepared& prepared, Graph* graph,
                     Teacher* teacher)
    : request_(request), prepared_(prepared), graph_(graph), teacher_(teacher) {
  parameters_ = graph_->parameters();
  const int width = prepared.draft.model().config.width;
  if (teacher == nullptr || !(request.loss.hidden > 0)) return;
  const int teacher_width = teacher->model().config.width;
  if (teacher_width == width) return;
  projection_ = at::empty({teacher_width, width}, at::kFloat);
  Random random({request.seed, kProjection});
  float* values = projection_.data_ptr<float>();
  for (std::int64_t i = 0; i < projection_.numel(); ++i) {
    values[i] = static_cast<float>(random.Normal() / std::sqrt(static_cast<double>(width)));
  }
  projection_.set_requires_grad(true);
  parameters_.push_back({"hone.hidden_projection", projection_, true});
}

bool BatchLoss::CanSplit() const {
  const model::Task task = prepared_.draft.model().head.task;
  const bool of_answers = request_.loss.logits > 0 || request_.loss.consistency > 0;
  // A joint head's two losses are means over different things; vectors are compared with each other.
  return task != model::Task::kJoint && !(task == model::Task::kEmbedding && of_answers);
}

// What each loss of a part counts for in the whole batch's: its share of what the loss is a mean of.
LossMeans BatchLoss::SharesOf(const TrainingBatch& part, const TrainingBatch& whole) const {
  const auto share = [](auto some, auto all) {
    return all == 0 ? 0.0 : static_cast<double>(some) / static_cast<double>(all);
  };
  const double items = share(part.items.size(), whole.items.size());
  const double tokens = share(part.ids.size(), whole.ids.size());
  const double masked = share(part.masked.size(), whole.masked.size());
  const auto labelled = [](const TrainingBatch& batch) {
    return std::ranges::count_if(batch.token_labels,
                                 [](std::int64_t label) { return label != kNoLabel; });
  };
  LossMeans shares{
      .total = 1, .task = items, .logits = items, .hidden = tokens, .relations = tokens};
  if (prepared_.objective == Objective::kTags) shares.task = share(labelled(part), labelled(whole));
  if (prepared_.objective == Objective::kMaskedWords) shares.task = masked;
  const model::Task task = prepared_.draft.model().head.task;
  if (task == model::Task::kTokenClassification) shares.logits = tokens;
  if (task == model::Task::kFillMask) shares.logits = masked;
  return shares;
}

Outputs BatchLoss::Forward(const TrainingBatch& batch, std::uint64_t seed) const {
  return graph_->Forward(batch.view(prepared_.types),
                         {.training = true,
                          .dropout = static_cast<float>(request_.dropout),
                          .seed = seed,
                          .hidden_states = request_.loss.hidden > 0,
                          .relations = request_.loss.relations > 0,
                          .mask_id = prepared_.masks ? prepared_.masks->mask_id : -1,
                          .masked = batch.masked});
}

at::Tensor BatchLoss::OfPart(const BatchPart& part, const Outputs& teacher,
                             const TrainingBatch& whole, Random* random, LossMeans* losses) const {
  const TrainingBatch& batch = part.batch;
  const compress::LossWeights& weights = request_.loss;
  const model::Head& head = prepared_.draft.model().head;
  const LossMeans shares = SharesOf(batch, whole);
  at::Tensor loss = at::zeros({});
  const auto add = [&](float weight, double share, auto of, double* sum) {
    if (!(weight > 0) || !(share > 0)) return;
    const at::Tensor value = of();
    loss = loss + value * (double{weight} * share);
    *sum += value.template item<double>() * share;
  };
  std::vector<Outputs> passes;
  const int count = weights.passes();
  for (int pass = 0; pass < count; ++pass) {
    const Outputs& student = passes.emplace_back(Forward(batch, random->Next()));
    if (prepared_.objective != Objective::kText) {
      add(
          weights.task, shares.task / count,
          [&] { return TaskLoss(prepared_.objective, student.heads, batch); }, &losses->task);
    }
    if (teacher_ == nullptr) continue;
    add(
        weights.logits, shares.logits / count,
        [&] {
          return LogitsLoss(head, student.heads, teacher.heads, batch.begins,
                            double{weights.temperature});
        },
        &losses->logits);
    add(
        weights.hidden, shares.hidden / count,
        [&] { return HiddenLoss(student.hidden_states, teacher.hidden_states, projection_); },
        &losses->hidden);
    add(
        weights.relations, shares.relations / count,
        [&] { return RelationsLoss(student, teacher, batch.begins); }, &losses->relations);
  }
  add(
      weights.consistency, shares.logits,
      [&] { return ConsistencyLoss(head, passes[0].heads, passes[1].heads, batch.begins); },
      &losses->consistency);
  return loss;
}

base::StatusOr<double> BatchLoss::Accumulate(const TrainingBatch& batch, std::int64_t step,
                                             std::int64_t micro) {
  Outputs teacher;
  if (teacher_ != nullptr) {
    const std::int32_t mask = prepared_.masks ? prepared_.masks->mask_id : -1;
    HONE_ASSIGN_OR_RETURN(teacher, teacher_->Say(batch, mask));
  }
  const std::vector<BatchPart> parts = SplitBatch(batch, CanSplit() ? at::get_num_threads() : 1);
  std::vector<LossMeans> losses(parts.size());
  const double total = AddGradients(parameters_, parts.size(), [&](std::size_t i) {
    Random random({request_.seed, kDropout, static_cast<std::uint64_t>(step),
                   static_cast<std::uint64_t>(micro), i});
    Outputs mine;
    if (teacher_ != nullptr) mine = PartOf(teacher, parts[i], teacher_->model().head);
    return OfPart(parts[i], mine, batch, &random, &losses[i]);
  });
  for (const LossMeans& part : losses) {
    sums_.task += part.task;
    sums_.logits += part.logits;
    sums_.hidden += part.hidden;
    sums_.relations += part.relations;
    sums_.consistency += part.consistency;
  }
  sums_.total += total;
  ++count_;
  return total;
}

LossMeans BatchLoss::TakeMeans() {
  const double count = std::max(1, count_);
  const LossMeans means{sums_.total / count,  sums_.task / count,      sums_.logits / count,
                        sums_.hidden / count, sums_.relations / count, sums_.consistency / count};
  sums_ = {};
  count_ = 0;
  return means;
}

}  // namespace hone::train
