// The average of a run's weights, which generalises better than those of any one step: batches push
// the weights about, and the average lies in the middle. With s steps taken,
//
//   a ← a + (w - a) · 9 / (s + 9)
//
// weighs step i like i⁸, so that the average is about the last tenth of the steps so far, whatever
// the length of the run.
//
// Usage
//   if (average.Due(step)) average.Take(step);   // after the step
//   average.Exchange();                          // the parameters are the average …
//   average.Exchange();                          // … and the run's own again
//
// Cost    a pass over parameters and average every kStride steps; 4 bytes a parameter. What happened
//         in between counts as if the weights had been throughout what they are at its end.
// Source  Shamir, Zhang 2013, arXiv:1212.1824 (polynomial-decay averaging, η = 8); the averages of
//         Polyak, Juditsky 1992 and of Izmailov et al. 2018, arXiv:1803.05407.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "train/graph.h"

namespace hone::train {

class WeightAverage {
 public:
  static constexpr std::int64_t kStride = 8;

  // Begins with the parameters as they are.
  explicit WeightAverage(const std::vector<Parameter>& parameters);

  bool Due(std::int64_t step) const { return step % kStride == 0; }
  // The parameters after `step` steps join the average; taking a step twice changes nothing. All of
  // them must be settled (adamw.h).
  void Take(std::int64_t step);
  // Exchanges the values of parameters and average.
  void Exchange();

  // For the state of a run: the averages as parameters of the same names, and the last step taken.
  const std::vector<Parameter>& values() const { return values_; }
  std::int64_t taken() const { return taken_; }
  void set_taken(std::int64_t step) { taken_ = step; }

 private:
  std::vector<Parameter> parameters_, values_;
  std::int64_t taken_ = 0;
};

}  // namespace hone::train
