#include "train/batch_parts.h"

#include <ATen/core/Tensor.h>

#include <algorithm>

namespace hone::train {
namespace {

template <typename T>
std::vector<T> Slice(const std::vector<T>& all, std::size_t begin, std::size_t end) {
  if (all.empty()) return {};
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

BatchPart Cut(const TrainingBatch& whole, std::size_t first, std::size_t last) {
  const std::size_t texts = (whole.begins.size() - 1) / whole.items.size();
  const std::int32_t token = whole.begins[first * texts], end = whole.begins[last * texts];
  const auto from = static_cast<std::size_t>(token), to = static_cast<std::size_t>(end);
  BatchPart part;
  TrainingBatch& batch = part.batch;
  batch.items = Slice(whole.items, first, last);
  batch.ids = Slice(whole.ids, from, to);
  batch.types = Slice(whole.types, from, to);
  batch.begins = Slice(whole.begins, first * texts, last * texts + 1);
  for (std::int32_t& begin : batch.begins) begin -= token;
  batch.labels = Slice(whole.labels, first, last);
  batch.token_labels = Slice(whole.token_labels, from, to);
  batch.scores = Slice(whole.scores, first, last);
  batch.first_answers = Slice(whole.first_answers, first, last);
  batch.last_answers = Slice(whole.last_answers, first, last);
  const auto masked = std::ranges::lower_bound(whole.masked, token) - whole.masked.begin();
  const auto masked_end = std::ranges::lower_bound(whole.masked, end) - whole.masked.begin();
  batch.masked =
      Slice(whole.masked, static_cast<std::size_t>(masked), static_cast<std::size_t>(masked_end));
  for (std::int32_t& place : batch.masked) place -= token;
  batch.masked_words = Slice(whole.masked_words, static_cast<std::size_t>(masked),
                             static_cast<std::size_t>(masked_end));
  part.token = token;
  part.text = static_cast<std::int64_t>(first * texts);
  part.masked = masked;
  return part;
}

}  // namespace

std::vector<BatchPart> SplitBatch(const TrainingBatch& whole, int parts) {
  const std::size_t items = whole.items.size(), texts = (whole.begins.size() - 1) / items;
  std::vector<BatchPart> split;
  std::size_t first = 0;
  for (int part = 0; part < parts; ++part) {
    const std::int64_t goal = static_cast<std::int64_t>(whole.ids.size()) * (part + 1) / parts;
    std::size_t last = first;
    // An item goes where the larger half of it lies.
    while (last < items &&
           whole.begins[last * texts] + whole.begins[(last + 1) * texts] <= 2 * goal) {
      ++last;
    }
    if (part + 1 == parts) last = items;
    if (last > first) split.push_back(Cut(whole, first, last));
    first = last;
  }
  return split;
}

Outputs PartOf(const Outputs& whole, const BatchPart& part, const model::Head& head) {
  const TrainingBatch& batch = part.batch;
  const auto tokens = static_cast<std::int64_t>(batch.ids.size());
  const auto by_token = [&](const at::Tensor& rows) {
    return rows.defined() ? rows.narrow(0, part.token, tokens) : rows;
  };
  Outputs mine;
  for (std::size_t i = 0; i < whole.heads.size(); ++i) {
    std::int64_t first = part.text, count = static_cast<std::int64_t>(batch.begins.size()) - 1;
    if (head.outputs[i].rows == model::Rows::kAll) {
      first = part.token;
      count = tokens;
    } else if (head.outputs[i].rows == model::Rows::kMasked) {
      first = part.masked;
      count = static_cast<std::int64_t>(batch.masked.size());
    }
    mine.heads.push_back(whole.heads[i].narrow(0, first, count));
  }
  mine.hidden = by_token(whole.hidden);
  for (const at::Tensor& state : whole.hidden_states) mine.hidden_states.push_back(by_token(state));
  mine.query = by_token(whole.query);
  mine.key = by_token(whole.key);
  mine.value = by_token(whole.value);
  mine.heads_of_relations = whole.heads_of_relations;
  return mine;
}

}  // namespace hone::train
