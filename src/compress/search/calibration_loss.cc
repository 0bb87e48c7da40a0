#include "compress/search/calibration_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/check.h"

namespace hone::compress {
namespace {

using model::Task;

// A sum over rows and how many there were.
struct Mean {
  double sum = 0;
  double count = 0;
  double value() const { return count > 0 ? sum / count : 0; }
};

// KL(softmax p ‖ softmax q) of logits that lie `stride` apart.
double KlOfLogits(const float* p, const float* q, std::size_t count, std::size_t stride) {
  double p_max = -std::numeric_limits<double>::infinity(), q_max = p_max;
  for (std::size_t i = 0; i < count; ++i) {
    p_max = std::max(p_max, double{p[i * stride]});
    q_max = std::max(q_max, double{q[i * stride]});
  }
  double p_sum = 0, q_sum = 0, difference = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double from_p = p[i * stride] - p_max, from_q = q[i * stride] - q_max;
    const double weight = std::exp(from_p);
    p_sum += weight;
    q_sum += std::exp(from_q);
    difference += weight * (from_p - from_q);
  }
  return difference / p_sum - std::log(p_sum) + std::log(q_sum);
}

void AddRows(const std::vector<float>& dense, const std::vector<float>& candidate,
             std::size_t width, Mean* mean) {
  for (std::size_t at = 0; at + width <= dense.size(); at += width) {
    mean->sum += KlOfLogits(&dense[at], &candidate[at], width, 1);
    mean->count += 1;
  }
}

// Start and end are the columns of [T,2]; a text's tokens are the classes.
void AddSpans(const std::vector<float>& dense, const std::vector<float>& candidate,
              std::span<const std::int32_t> begins, Mean* mean) {
  for (std::size_t text = 0; text + 1 < begins.size(); ++text) {
    const auto begin = static_cast<std::size_t>(begins[text]);
    const auto count = static_cast<std::size_t>(begins[text + 1]) - begin;
    for (std::size_t column = 0; column < 2; ++column) {
      const std::size_t at = 2 * begin + column;
      mean->sum += KlOfLogits(&dense[at], &candidate[at], count, 2);
      mean->count += 1;
    }
  }
}

void AddCosines(const std::vector<float>& dense, const std::vector<float>& candidate,
                std::size_t width, Mean* mean) {
  for (std::size_t at = 0; at + width <= dense.size(); at += width) {
    double product = 0, a = 0, b = 0;
    for (std::size_t i = at; i < at + width; ++i) {
      product += double{dense[i]} * candidate[i];
      a += double{dense[i]} * dense[i];
      b += double{candidate[i]} * candidate[i];
    }
    mean->sum += 1 - product / std::max(std::sqrt(a * b), 1e-30);
    mean->count += 1;
  }
}

void AddSquares(const std::vector<float>& dense, const std::vector<float>& candidate, Mean* error) {
  for (std::size_t i = 0; i < dense.size(); ++i) {
    const double difference = double{dense[i]} - candidate[i];
    error->sum += difference * difference;
    error->count += 1;
  }
}

// Σ x² / n of the dense model's hidden vectors, or the variance of its scores.
double Scale(const std::vector<std::vector<std::vector<float>>>& outputs, std::size_t index,
             bool centred) {
  double sum = 0, squares = 0, count = 0;
  for (const auto& batch : outputs) {
    for (const float x : batch[index]) {
      sum += x;
      squares += double{x} * x;
      count += 1;
    }
  }
  if (count == 0) return 1;
  const double mean = centred ? sum / count : 0;
  return std::max(squares / count - mean * mean, 1e-12);
}

}  // namespace

base::StatusOr<CalibrationLoss::Outputs> CalibrationLoss::Run(
    const model::Model& model, const runtime::EngineOptions& options) const {
  HONE_ASSIGN_OR_RETURN(const auto engine, runtime::LocalEngine::Load(model, options));
  Outputs outputs;
  for (const CalibrationBatch& texts : data_->batches) {
    const runtime::Batch batch = texts.batch();
    HONE_RETURN_IF_ERROR(engine->Check(batch));
    std::vector<float> hidden(texts.ids.size() * static_cast<std::size_t>(engine->width()));
    engine->Forward(engine->all_layers(), batch, hidden);
    auto& rows = outputs.emplace_back();
    if (hidden_) {
      rows.push_back(std::move(hidden));
      continue;
    }
    rows.resize(model.head.outputs.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      engine->ApplyHead(static_cast<int>(i), batch, hidden, -1, &rows[i]);
    }
  }
  return outputs;
}

base::StatusOr<CalibrationLoss> CalibrationLoss::Make(const model::Model& dense,
                                                      const Calibration& data,
                                                      const runtime::EngineOptions& options) {
  HONE_CHECK(!data.batches.empty());
  CalibrationLoss loss(data);
  loss.hidden_ = dense.head.task == Task::kFillMask || dense.head.outputs.empty();
  HONE_ASSIGN_OR_RETURN(loss.dense_, loss.Run(dense, options));
  return loss;
}

base::StatusOr<double> CalibrationLoss::Of(const model::Model& candidate,
                                           const runtime::EngineOptions& options) const {
  HONE_ASSIGN_OR_RETURN(const Outputs outputs, Run(candidate, options));
  if (hidden_) {
    Mean error;
    for (std::size_t b = 0; b < outputs.size(); ++b) {
      // A narrower student has no hidden vectors to compare.
      if (outputs[b][0].size() != dense_[b][0].size()) {
        return base::BadInput("the candidate's width is not the dense model's");
      }
      AddSquares(dense_[b][0], outputs[b][0], &error);
    }
    return error.value() / Scale(dense_, 0, false);
  }
  double total = 0;
  for (std::size_t o = 0; o < candidate.head.outputs.size(); ++o) {
    const auto width = static_cast<std::size_t>(candidate.head.outputs[o].width);
    const bool score = candidate.head.task == Task::kSequenceClassification && width == 1;
    Mean mean;
    for (std::size_t b = 0; b < outputs.size(); ++b) {
      HONE_CHECK(outputs[b][o].size() == dense_[b][o].size());
      if (candidate.head.task == Task::kEmbedding) {
        AddCosines(dense_[b][o], outputs[b][o], width, &mean);
      } else if (candidate.head.task == Task::kQuestionAnswering) {
        AddSpans(dense_[b][o], outputs[b][o], data_->batches[b].begins, &mean);
      } else if (score) {
        AddSquares(dense_[b][o], outputs[b][o], &mean);
      } else {
        AddRows(dense_[b][o], outputs[b][o], width, &mean);
      }
    }
    total += score ? mean.value() / Scale(dense_, o, true) : mean.value();
  }
  return total;
}

}  // namespace hone::compress
