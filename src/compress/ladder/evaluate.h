// What is measured of a model for the ladder: its metric with an interval, size, shapes, and the time
// of its operations. Latencies are taken apart, for several models in turn (latency/latency.h).
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "compress/ladder/ladder.h"
#include "env/file.h"
#include "eval/tasks.h"
#include "runtime/text_model.h"

namespace hone::compress {

// The task's dev file, read once.
struct DevSet {
  const eval::Task* task = nullptr;
  std::string path;
  eval::Examples examples;
};

base::StatusOr<DevSet> ReadDevSet(env::FileSystem& files, const std::string& task,
                                  const std::string& path, const std::string& columns);

// Metric units that one "point" stands for: 0.01 of a fraction, 1 of SQuAD's percent.
double PointUnit(const eval::Task& task);

struct Evaluation {
  MetricFigure metric;
  std::vector<eval::Prediction> predictions;  // one an example
};

// Every example through the model. `progress` gets what is done of 1; it may be empty.
base::StatusOr<Evaluation> Evaluate(runtime::TextModel& model, const DevSet& dev,
                                    const std::function<void(double)>& progress);

// Format, parameters, size of the weights, width and layers.
ModelFigures DescribeModel(const model::Model& model);

// Milliseconds of each operation in one pass, summed over layers and workers, mean over `batches`
// (lengths of texts).
std::vector<OperationTime> TimeOperations(runtime::LocalEngine& engine, int head_outputs,
                                          int vocabulary,
                                          const std::vector<std::vector<int>>& batches);

// Examples answered otherwise than by the dense model, at most `most` of them, evenly taken; a score
// counts as changed when its rank moved by more than a tenth of all. `count` gets their number.
std::vector<ChangedAnswer> FindChanged(const DevSet& dev,
                                       const std::vector<eval::Prediction>& dense,
                                       const std::vector<eval::Prediction>& rung, std::size_t most,
                                       std::size_t* count);

}  // namespace hone::compress
