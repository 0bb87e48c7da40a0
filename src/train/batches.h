// The order in which examples are seen: shuffled anew each epoch, and put into batches of similar
// length, so that the largest batch needs little more memory than the mean one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/batch.h"
#include "train/examples.h"

namespace hone::train {

// The items of each batch of an epoch. Every item is in exactly one batch; all batches but one have
// `batch` items. A function of its arguments alone.
std::vector<std::vector<std::uint32_t>> EpochBatches(const Dataset& data, int batch,
                                                     std::uint64_t seed, std::int64_t epoch);

// The tokens and targets of some items, ready for the graph and the loss.
struct TrainingBatch {
  std::vector<std::uint32_t> items;
  std::vector<std::int32_t> ids, types, begins;
  std::vector<std::int64_t> labels, token_labels;
  std::vector<float> scores;
  std::vector<std::int64_t> first_answers, last_answers;
  std::vector<std::int32_t> masked;        // kMaskedWords: places of the hidden words
  std::vector<std::int64_t> masked_words;  // and what stood there

  runtime::Batch view(bool with_types) const {
    return {.ids = ids,
            .types =
                with_types ? std::span<const std::int32_t>(types) : std::span<const std::int32_t>(),
            .begins = begins};
  }
};

// How words are hidden for masked-language training: of 15 % of the tokens, 80 % become the mask, 10 %
// a random token, 10 % stay. At least one a text. Source: Devlin et al. 2018, section 3.1.
struct MaskPlan {
  std::int32_t mask_id = -1;
  int vocabulary = 0;
  std::vector<bool> special;  // by id: never hidden
  double share = 0.15, to_mask = 0.8, to_random = 0.1;
};

TrainingBatch Gather(const Dataset& data, std::span<const std::uint32_t> items);

// Hides words; each item's choice depends on seed, epoch and item alone.
void HideWords(const MaskPlan& plan, std::uint64_t seed, std::int64_t epoch, TrainingBatch* batch);

}  // namespace hone::train
