#include "train/batches.h"

#include <algorithm>
#include <numeric>

#include "train/random.h"

namespace hone::train {
namespace {

// So many batches are sorted by length together: enough for even lengths inside a batch, few enough
// that an epoch still mixes well.
constexpr std::size_t kBatchesSortedTogether = 64;

enum Stream : std::uint64_t { kOrder = 1, kBatchOrder = 2, kMasking = 3 };

}  // namespace

std::vector<std::vector<std::uint32_t>> EpochBatches(const Dataset& data, int batch,
                                                     std::uint64_t seed, std::int64_t epoch) {
  const auto size = static_cast<std::size_t>(batch);
  std::vector<std::uint32_t> order(data.items());
  std::iota(order.begin(), order.end(), 0u);
  Random({seed, kOrder, static_cast<std::uint64_t>(epoch)}).Shuffle(&order);
  const std::size_t window = size * kBatchesSortedTogether;
  std::vector<std::vector<std::uint32_t>> batches;
  for (std::size_t begin = 0; begin < order.size(); begin += window) {
    const std::size_t end = std::min(begin + window, order.size());
    std::stable_sort(
        order.begin() + static_cast<std::ptrdiff_t>(begin),
        order.begin() + static_cast<std::ptrdiff_t>(end),
        [&](std::uint32_t a, std::uint32_t b) { return data.Tokens(a) < data.Tokens(b); });
    for (std::size_t i = begin; i < end; i += size) {
      batches.emplace_back(order.begin() + static_cast<std::ptrdiff_t>(i),
                           order.begin() + static_cast<std::ptrdiff_t>(std::min(i + size, end)));
    }
  }
  Random({seed, kBatchOrder, static_cast<std::uint64_t>(epoch)}).Shuffle(&batches);
  return batches;
}

TrainingBatch Gather(const Dataset& data, std::span<const std::uint32_t> items) {
  TrainingBatch batch;
  batch.items.assign(items.begin(), items.end());
  batch.begins.push_back(0);
  const auto texts = static_cast<std::size_t>(data.texts_per_item);
  const bool tagged = !data.token_labels.empty();
  for (const std::uint32_t item : items) {
    for (std::size_t text = item * texts; text < (item + 1) * texts; ++text) {
      for (std::size_t t = data.begins[text]; t < data.begins[text + 1]; ++t) {
        batch.ids.push_back(data.ids[t]);
        batch.types.push_back(data.types[t]);
        if (tagged) batch.token_labels.push_back(data.token_labels[t]);
      }
      batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
    }
    if (!data.labels.empty()) batch.labels.push_back(data.labels[item]);
    if (!data.scores.empty()) batch.scores.push_back(data.scores[item]);
    if (!data.answers.empty()) {
      batch.first_answers.push_back(data.answers[item].first);
      batch.last_answers.push_back(data.answers[item].second);
    }
  }
  return batch;
}

void HideWords(const MaskPlan& plan, std::uint64_t seed, std::int64_t epoch, TrainingBatch* batch) {
  const auto is_special = [&](std::int32_t id) {
    return plan.special[static_cast<std::size_t>(id)];
  };
  for (std::size_t text = 0; text + 1 < batch->begins.size(); ++text) {
    Random random({seed, kMasking, static_cast<std::uint64_t>(epoch), batch->items[text]});
    std::vector<std::int32_t> words, chosen;
    for (std::int32_t t = batch->begins[text]; t < batch->begins[text + 1]; ++t) {
      if (!is_special(batch->ids[static_cast<std::size_t>(t)])) words.push_back(t);
    }
    for (const std::int32_t t : words) {
      if (random.Unit() < plan.share) chosen.push_back(t);
    }
    if (chosen.empty() && !words.empty()) chosen.push_back(words[random.Below(words.size())]);
    for (const std::int32_t t : chosen) {
      std::int32_t& id = batch->ids[static_cast<std::size_t>(t)];
      batch->masked.push_back(t);
      batch->masked_words.push_back(id);
      const double what = random.Unit();
      if (what < plan.to_mask) {
        id = plan.mask_id;
      } else if (what < plan.to_mask + plan.to_random) {
        id = static_cast<std::int32_t>(random.Below(static_cast<std::uint64_t>(plan.vocabulary)));
      }
    }
  }
}

}  // namespace hone::train
