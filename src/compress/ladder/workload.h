// What latencies are taken of, and by which models: the timing rig of a compression.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "bench/forward_bench.h"
#include "compress/ladder/evaluate.h"
#include "compress/ladder/module_formats.h"
#include "compress/latency/device_profile.h"
#include "compress/latency/latency.h"
#include "compress/latency/steady.h"
#include "runtime/text_model.h"

namespace hone::compress {

// Tokens of each text as the task gives it to the model: pairs together, or apart where it embeds.
std::vector<int> NaturalLengths(const eval::Task& task, const std::vector<eval::Example>& examples,
                                const runtime::TextModel& model);

// Tokens of each line that has any. An error where none has.
base::StatusOr<std::vector<int>> LengthsOfLines(env::FileSystem& files, const std::string& path,
                                                const runtime::TextModel& model);

// A model's layers where its matrices are in these formats; `rest`: of those that are not named.
std::vector<LayerForm> FormsOf(const model::Model& model, const ModuleFormats& formats,
                               quant::Format rest);

// Milliseconds that the profile gives a model of these layers.
base::StatusOr<double> PredictMs(const DeviceProfile& profile, const std::vector<LayerForm>& layers,
                                 bool gated_ffn);

// Times models against the dense one, or asks the profile of another device.
class LatencyRig {
 public:
  // `dense` (in f32) must outlive this. With `elsewhere`, nothing is timed: the profile of the device
  // that the models are for predicts.
  LatencyRig(runtime::TextModel& dense, Workload workload, const DeviceProfile* elsewhere);

  const Workload& workload() const { return workload_; }
  const std::vector<std::vector<int>>& batches() const { return batches_; }

  base::StatusOr<LatencyFigures> TimeDense(double seconds);

  // `seconds` of passes, in turn, and again where the dense model was disturbed (steady.h). With a profile:
  // what it predicts for `layers`; p95 and p99 are not known then and equal p50.
  base::StatusOr<LatencyPair> Time(runtime::LocalEngine& candidate, const model::Model& model,
                                   const std::vector<LayerForm>& layers, double seconds);

 private:
  base::StatusOr<LatencyPair> Predict(const std::vector<LayerForm>& layers) const;

  runtime::TextModel& dense_;
  Workload workload_;
  const DeviceProfile* elsewhere_;
  std::vector<std::vector<int>> batches_;
  bench::ForwardPasses passes_;
  SteadyTimer steady_;
};

}  // namespace hone::compress
