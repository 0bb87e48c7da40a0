// A batch in runs of whole texts, a forward pass each: what a pass needs for its activations stays within a
// bound, however many texts a batch has. A text's outputs are the same bits in any run (engine.h).
#pragma once

#include <cstdint>
#include <vector>

#include "runtime/batch.h"

namespace hone::runtime {

struct BatchRun {
  Batch batch;
  int first_token = 0;  // of the whole batch
};

class BatchRuns {
 public:
  // Runs of at most `most_tokens`, or of one text that is longer, and about as many tokens in each. `begins`
  // is room for a run's; it must outlive the run.
  BatchRuns(const Batch& batch, int most_tokens, std::vector<std::int32_t>* begins)
      : batch_(batch), most_(most_tokens), begins_(begins) {}

  // False when all texts have been handed out. The run is valid until the next call.
  bool Next(BatchRun* run);

 private:
  Batch batch_;
  int most_;
  std::vector<std::int32_t>* begins_;
  int text_ = 0;  // the next
};

}  // namespace hone::runtime
