// A draft's score on dev, by the engine that will serve it.
#pragma once

#include <string>

#include "base/status.h"
#include "env/file.h"
#include "train/prepare.h"

namespace hone::train {

struct Evaluation {
  std::string metric;  // "accuracy"; of masked words "masked_accuracy"
  double value = 0;    // NaN where the metric has none (a constant prediction's correlation)
};

// The primary metric of the task; the draft's weights are those that were last exported into it.
// There must be a dev set (a CHECK).
base::StatusOr<Evaluation> Evaluate(Prepared* prepared, int threads);

}  // namespace hone::train
