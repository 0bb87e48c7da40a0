#include "train/weight_average.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "base/check.h"

namespace hone::train {

WeightAverage::WeightAverage(const std::vector<Parameter>& parameters) : parameters_(parameters) {
  for (const Parameter& parameter : parameters_) {
    Parameter& value = values_.emplace_back(parameter);
    value.value = parameter.value.detach().clone();
  }
}

void WeightAverage::Take(std::int64_t step) {
  HONE_CHECK(step >= taken_);
  if (step == taken_) return;
  // What the steps since the last leave of the old average.
  double kept = 1;
  for (std::int64_t s = taken_ + 1; s <= step; ++s) kept *= 1 - 9.0 / static_cast<double>(s + 9);
  const c10::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    values_[i].value.lerp_(parameters_[i].value, 1 - kept);
  }
  taken_ = step;
}

void WeightAverage::Exchange() {
  const c10::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const at::Tensor own = parameters_[i].value.detach().clone();
    parameters_[i].value.copy_(values_[i].value);
    values_[i].value.copy_(own);
  }
}

}  // namespace hone::train
