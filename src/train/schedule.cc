#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hone::train {

double LearningRate(const compress::TrainRequest& request, std::int64_t step, std::int64_t steps) {
  const double all = static_cast<double>(steps);
  const double warmup = std::round(request.warmup * all);
  const double now = static_cast<double>(step);
  if (now < warmup) return request.learning_rate * (now + 1) / (warmup + 1);
  const double left = std::clamp((all - now) / std::max(1.0, all - warmup), 0.0, 1.0);
  switch (request.schedule) {
    case compress::Schedule::kLinear: return request.learning_rate * left;
    case compress::Schedule::kCosine:
      return request.learning_rate * (1 + std::cos(std::numbers::pi * (1 - left))) / 2;
    case compress::Schedule::kConstant: break;
  }
  return request.learning_rate;
}

std::int64_t PlannedSteps(const compress::TrainRequest& request, std::int64_t per_epoch) {
  auto steps =
      static_cast<std::int64_t>(std::llround(request.epochs * static_cast<double>(per_epoch)));
  if (request.max_steps > 0) steps = std::min(steps, request.max_steps);
  return std::max<std::int64_t>(steps, 1);
}

std::int64_t StepsThatFit(std::int64_t planned, std::int64_t step, double step_seconds,
                          double seconds_left, double others) {
  const double fit =
      std::floor(std::max(0.0, seconds_left - others) / std::max(step_seconds, 1e-9));
  if (fit >= static_cast<double>(planned - step)) return planned;
  return std::max<std::int64_t>({step + static_cast<std::int64_t>(fit), step, 1});
}

}  // namespace hone::train
