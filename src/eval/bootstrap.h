// How sure a metric is: a confidence interval by resampling the examples with replacement.
//
//   low, high = 2.5th and 97.5th percentile of the metric over `resamples` draws of n out of n
//               (example, prediction) pairs
//
// Seeded: the same input gives the same interval. A resample whose metric is not a number (one class
// only) is left out.
// Source  Efron, Tibshirani 1986, percentile method.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "eval/example.h"
#include "eval/tasks.h"

namespace hone::eval {

struct Interval {
  double value = 0;  // of all examples
  double low = 0, high = 0;
};

inline constexpr int kResamples = 1000;

// Of the metric named, one of those that task.score gives (a CHECK). Spans of one length, not empty
// (a CHECK).
Interval Bootstrap(const Task& task, std::string_view metric, std::span<const Example> examples,
                   std::span<const Prediction> predictions, int resamples, std::uint64_t seed);

}  // namespace hone::eval
