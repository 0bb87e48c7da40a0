// The whole loss of a batch: student and teacher forward, and the parts that the request weighs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "compress/trainer.h"
#include "train/graph.h"
#include "train/prepare.h"
#include "train/teacher.h"

namespace hone::train {

struct LossMeans {
  double total = 0, task = 0, logits = 0, hidden = 0, relations = 0;
};

class BatchLoss {
 public:
  // All are referred to and must outlive this; `teacher` may be null.
  BatchLoss(const compress::TrainRequest& request, const Prepared& prepared, Graph* graph,
            Teacher* teacher);

  // The graph's, and where hidden states are as wide as the teacher's only after a projection, that.
  std::vector<Parameter> parameters() const;

  // A scalar with gradients. Dropout is a function of seed, step and `micro`, the batch's number
  // within the step.
  base::StatusOr<at::Tensor> Of(const TrainingBatch& batch, std::int64_t step, std::int64_t micro);

  // Means over the batches since the last call.
  LossMeans TakeMeans();

 private:
  Outputs Forward(const TrainingBatch& batch, std::int64_t step, std::int64_t micro);

  const compress::TrainRequest& request_;
  const Prepared& prepared_;
  Graph* graph_;
  Teacher* teacher_;
  at::Tensor projection_;  // [D',D]; undefined where the widths are equal
  LossMeans sums_;
  int count_ = 0;
};

}  // namespace hone::train
