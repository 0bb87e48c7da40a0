// A batch in parts, each a thread's: forward and backward of a small model are hundreds of operations
// too short to be worth dividing one by one.
#pragma once

#include <cstdint>
#include <vector>

#include "model/head.h"
#include "train/batches.h"
#include "train/graph.h"

namespace hone::train {

struct BatchPart {
  TrainingBatch batch;
  // Where it begins in the whole: among tokens, texts and hidden words.
  std::int64_t token = 0, text = 0, masked = 0;
};

// At most `parts` runs of whole items, with about as many tokens each.
std::vector<BatchPart> SplitBatch(const TrainingBatch& whole, int parts);

// What belongs to the part of what a teacher said of the whole batch.
Outputs PartOf(const Outputs& whole, const BatchPart& part, const model::Head& head);

}  // namespace hone::train
