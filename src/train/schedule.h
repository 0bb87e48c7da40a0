// How the learning rate goes, and how many steps there are.
#pragma once

#include <cstdint>

#include "compress/trainer.h"

namespace hone::train {

// The rate of step `step` (from 0) of `steps`: rising evenly over the first `warmup` share, then
//   kLinear  falling evenly to 0      kCosine  rate · (1 + cos πp)/2      kConstant  staying
double LearningRate(const compress::TrainRequest& request, std::int64_t step, std::int64_t steps);

// How many steps the request asks for, where an epoch has `per_epoch`. At least 1.
std::int64_t PlannedSteps(const compress::TrainRequest& request, std::int64_t per_epoch);

// The same, cut to what fits into the time that is left, after `step` steps and at `step_seconds`
// each; `others` are the seconds that evaluations will take.
std::int64_t StepsThatFit(std::int64_t planned, std::int64_t step, double step_seconds,
                          double seconds_left, double others);

}  // namespace hone::train
