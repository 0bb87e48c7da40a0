#include "train/batch_loss.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "train/losses.h"
#include "train/random.h"

namespace hone::train {
namespace {

enum Stream : std::uint64_t { kDropout = 11, kProjection = 12 };

}  // namespace

BatchLoss::BatchLoss(const compress::TrainRequest& request, const Prepared& prepared, Graph* graph,
                     Teacher* teacher)
    : request_(request), prepared_(prepared), graph_(graph), teacher_(teacher) {
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
}

std::vector<Parameter> BatchLoss::parameters() const {
  std::vector<Parameter> parameters = graph_->parameters();
  if (projection_.defined()) parameters.push_back({"hone.hidden_projection", projection_, true});
  return parameters;
}

Outputs BatchLoss::Forward(const TrainingBatch& batch, std::int64_t step, std::int64_t micro) {
  const std::uint64_t seed = Random({request_.seed, kDropout, static_cast<std::uint64_t>(step),
                                     static_cast<std::uint64_t>(micro)})
                                 .Next();
  return graph_->Forward(batch.view(prepared_.types),
                         {.training = true,
                          .dropout = static_cast<float>(request_.dropout),
                          .seed = seed,
                          .hidden_states = request_.loss.hidden > 0,
                          .relations = request_.loss.relations > 0,
                          .mask_id = prepared_.masks ? prepared_.masks->mask_id : -1,
                          .masked = batch.masked});
}

base::StatusOr<at::Tensor> BatchLoss::Of(const TrainingBatch& batch, std::int64_t step,
                                         std::int64_t micro) {
  const Outputs student = Forward(batch, step, micro);
  const compress::LossWeights& weights = request_.loss;
  at::Tensor loss = at::zeros({});
  const auto add = [&](double weight, const at::Tensor& part, double* sum) {
    loss = loss + part * weight;
    *sum += part.item<double>();
  };
  if (weights.task > 0 && prepared_.objective != Objective::kText) {
    add(weights.task, TaskLoss(prepared_.objective, student.heads, batch), &sums_.task);
  }
  if (teacher_ != nullptr) {
    const std::int32_t mask = prepared_.masks ? prepared_.masks->mask_id : -1;
    HONE_ASSIGN_OR_RETURN(const Outputs teacher, teacher_->Say(batch, mask));
    if (weights.logits > 0) {
      add(weights.logits,
          LogitsLoss(prepared_.draft.model().head, student.heads, teacher.heads, batch.begins,
                     double{weights.temperature}),
          &sums_.logits);
    }
    if (weights.hidden > 0) {
      add(weights.hidden, HiddenLoss(student.hidden_states, teacher.hidden_states, projection_),
          &sums_.hidden);
    }
    if (weights.relations > 0) {
      add(weights.relations, RelationsLoss(student, teacher, batch.begins), &sums_.relations);
    }
  }
  sums_.total += loss.item<double>();
  ++count_;
  return loss;
}

LossMeans BatchLoss::TakeMeans() {
  const double count = std::max(1, count_);
  const LossMeans means{sums_.total / count, sums_.task / count, sums_.logits / count,
                        sums_.hidden / count, sums_.relations / count};
  sums_ = {};
  count_ = 0;
  return means;
}

}  // namespace hone::train
