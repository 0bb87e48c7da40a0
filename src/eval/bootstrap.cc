#include "eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "base/check.h"
#include "eval/task_text.h"

namespace hone::eval {
namespace {

double Value(const Metrics& metrics, std::string_view name) {
  const auto found =
      std::ranges::find_if(metrics, [&](const auto& metric) { return metric.first == name; });
  HONE_CHECK(found != metrics.end());
  return found->second;
}

// A metric of resamples, given by their indices.
class Resampled {
 public:
  Resampled(const Task& task, std::string_view metric, std::span<const Example> examples,
            std::span<const Prediction> predictions)
      : task_(task), metric_(metric), examples_(examples), predictions_(predictions) {
    // What is scored one by one and averaged needs to be scored only once.
    const bool averaged =
        task.output == Output::kAnswer || (task.output == Output::kJoint && metric != "slot_f1");
    if (!averaged) return;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      single_.push_back(
          Value(task.score(examples.subspan(i, 1), predictions.subspan(i, 1)), metric));
    }
  }

  double Of(std::span<const std::size_t> indices) {
    if (!single_.empty()) {
      double sum = 0;
      for (const std::size_t i : indices) sum += single_[i];
      return sum / static_cast<double>(indices.size());
    }
    drawn_.resize(indices.size());
    said_.resize(indices.size());
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const Example& from = examples_[indices[i]];
      Example& to = drawn_[i];
      // What scorers of labels, scores and tags look at; texts would only cost time.
      to.label = from.label;
      to.score = from.score;
      to.tags = from.tags;
      to.intent = from.intent;
      if (TakesWords(task_)) to.words = from.words;
      said_[i] = predictions_[indices[i]];
    }
    return Value(task_.score(drawn_, said_), metric_);
  }

 private:
  const Task& task_;
  std::string_view metric_;
  std::span<const Example> examples_;
  std::span<const Prediction> predictions_;
  std::vector<double> single_;
  std::vector<Example> drawn_;
  std::vector<Prediction> said_;
};

}  // namespace

Interval Bootstrap(const Task& task, std::string_view metric, std::span<const Example> examples,
                   std::span<const Prediction> predictions, int resamples, std::uint64_t seed) {
  HONE_CHECK(!examples.empty() && examples.size() == predictions.size());
  Interval interval;
  interval.value = Value(task.score(examples, predictions), metric);
  Resampled resampled(task, metric, examples, predictions);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::size_t> draw(0, examples.size() - 1);
  std::vector<std::size_t> indices(examples.size());
  std::vector<double> values;
  for (int r = 0; r < resamples; ++r) {
    for (std::size_t& index : indices) index = draw(random);
    const double value = resampled.Of(indices);
    if (std::isfinite(value)) values.push_back(value);
  }
  if (values.empty()) {
    interval.low = interval.high = interval.value;
    return interval;
  }
  std::ranges::sort(values);
  const auto at = [&](double fraction) {
    const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(values.size()));
    return values[std::min(rank, values.size() - 1)];
  };
  interval.low = at(0.025);
  interval.high = at(0.975);
  return interval;
}

}  // namespace hone::eval
