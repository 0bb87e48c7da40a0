// The whole loss of a batch and its gradients: student and teacher forward, the parts that the
// request weighs, backward. Each thread takes a part of the batch (batch_parts.h) where the loss is a
// mean over its texts or tokens; a loss that compares texts with each other needs all of them at once.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "compress/trainer.h"
#include "train/batch_parts.h"
#include "train/graph.h"
#include "train/prepare.h"
#include "train/random.h"
#include "train/teacher.h"

namespace hone::train {

struct LossMeans {
  double total = 0, task = 0, logits = 0, hidden = 0, relations = 0, consistency = 0;
};

class BatchLoss {
 public:
  // All are referred to and must outlive this; `teacher` may be null.
  BatchLoss(const compress::TrainRequest& request, const Prepared& prepared, Graph* graph,
            Teacher* teacher);

  // The graph's, and where hidden states are as wide as the teacher's only after a projection, that.
  const std::vector<Parameter>& parameters() const { return parameters_; }

  // Adds the batch's gradients to those of parameters() and returns its loss. Where that is not
  // finite, the gradients are not either. Dropout is a function of seed, step and `micro`, the
  // batch's number within the step.
  base::StatusOr<double> Accumulate(const TrainingBatch& batch, std::int64_t step,
                                    std::int64_t micro);

  // Means over the batches since the last call.
  LossMeans TakeMeans();

 private:
  bool CanSplit() const;
  // The part's loss, times its share of the batch; `losses` gets its parts, likewise. `teacher` is
  // what it says of the part, `random` gives each pass its dropout's seed.
  at::Tensor OfPart(const BatchPart& part, const Outputs& teacher, const TrainingBatch& whole,
                    Random* random, LossMeans* losses) const;
  Outputs Forward(const TrainingBatch& batch, std::uint64_t seed) const;
  LossMeans SharesOf(const TrainingBatch& part, const TrainingBatch& whole) const;

  const compress::TrainRequest& request_;
  const Prepared& prepared_;
  Graph* graph_;
  Teacher* teacher_;
  at::Tensor projection_;  // [D',D]; undefined where the widths are equal
  std::vector<Parameter> parameters_;
  LossMeans sums_;
  int count_ = 0;
};

}  // namespace hone::train
