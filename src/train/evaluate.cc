#include "train/evaluate.h"

#include <algorithm>

#include "base/aligned_buffer.h"
#include "base/check.h"
#include "env/clock.h"
#include "eval/model_predictor.h"
#include "eval/run.h"
#include "runtime/tasks/scores.h"
#include "runtime/text_model.h"

namespace hone::train {
namespace {

using base::StatusOr;

// Ragged batches cost nothing for mixed lengths; more texts than this gain nothing.
constexpr int kBatch = 16;

// The share of hidden words that the model names. Every chosen word becomes the mask, the same ones
// each time.
StatusOr<double> MaskedAccuracy(Prepared* prepared, runtime::TextModel& model) {
  const Dataset& data = *prepared->dev_text;
  MaskPlan plan = *prepared->masks;
  plan.to_mask = 1;
  plan.to_random = 0;
  std::size_t right = 0, all = 0;
  for (std::size_t begin = 0; begin < data.items(); begin += kBatch) {
    std::vector<std::uint32_t> items;
    for (std::size_t i = begin; i < std::min(begin + kBatch, data.items()); ++i) {
      items.push_back(static_cast<std::uint32_t>(i));
    }
    TrainingBatch batch = Gather(data, items);
    HideWords(plan, 0, 0, &batch);
    if (batch.masked.empty()) continue;
    const runtime::Batch view = batch.view(prepared->types);
    HONE_RETURN_IF_ERROR(model.engine().Check(view));
    const auto width = static_cast<std::size_t>(model.engine().width());
    base::AlignedVector<float> hidden(batch.ids.size() * width);
    std::vector<float> logits;
    model.engine().Forward(model.engine().all_layers(), view, hidden);
    // The head picks rows by id; a text may have the mask itself among its words.
    for (const std::int32_t t : batch.masked) batch.ids[static_cast<std::size_t>(t)] = -1;
    model.engine().ApplyHead(0, view, hidden, -1, &logits);
    const std::size_t rows = batch.masked.size();
    const std::size_t vocabulary = logits.size() / rows;
    HONE_CHECK(vocabulary * rows == logits.size());
    for (std::size_t i = 0; i < rows; ++i) {
      const int best = runtime::ArgMax(std::span(logits).subspan(i * vocabulary, vocabulary));
      right += best == batch.masked_words[i] ? 1 : 0;
    }
    all += rows;
  }
  return all == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(all);
}

}  // namespace

StatusOr<Evaluation> Evaluate(Prepared* prepared, int threads) {
  HONE_RETURN_IF_ERROR(prepared->draft.Bind());
  HONE_ASSIGN_OR_RETURN(const auto model,
                        runtime::TextModel::FromModel(prepared->draft.model(), prepared->tokenizer,
                                                      {.engine = {.format = {}, .threads = threads},
                                                       .max_tokens = prepared->max_tokens}));
  if (prepared->dev_text) {
    HONE_ASSIGN_OR_RETURN(const double value, MaskedAccuracy(prepared, *model));
    return Evaluation{"masked_accuracy", value};
  }
  HONE_CHECK(prepared->task != nullptr && !prepared->dev.items.empty());
  HONE_ASSIGN_OR_RETURN(const eval::Predictor predictor,
                        eval::MakePredictor(*prepared->task, *model));
  HONE_ASSIGN_OR_RETURN(const eval::Report report,
                        eval::Run(*prepared->task, prepared->dev, predictor,
                                  {.batch = kBatch, .now_ns = env::NowNs, .progress = {}}));
  return Evaluation{std::string(prepared->task->primary),
                    eval::Primary(*prepared->task, report.metrics)};
}

}  // namespace hone::train
