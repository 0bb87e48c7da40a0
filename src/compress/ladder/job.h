// Everything that the steps of one compression share: what was asked for, what was read and measured
// once, and the ladder so far.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compress/calibration.h"
#include "compress/compressor.h"
#include "compress/ladder/time_plan.h"
#include "compress/ladder/work_state.h"
#include "compress/ladder/workload.h"
#include "compress/search/calibration_loss.h"

namespace hone::compress {

struct CompressJob {
  CompressJob(const CompressRequest& asked, const CompressTools& with)
      : request(asked), tools(with) {}

  const CompressRequest& request;
  const CompressTools& tools;
  std::optional<WorkState> state;
  LadderReport ladder;

  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::unique_ptr<runtime::TextModel> dense;  // in f32
  DevSet dev;
  eval::Examples train;    // labelled; empty with unlabelled text alone
  std::string unlabelled;  // the text file's bytes
  std::vector<eval::Prediction> dense_answers;

  std::vector<quant::Format> formats;  // that blocks may have in the end
  DeviceProfile profile;
  bool elsewhere = false;  // the profile is of another device: nothing is timed here
  std::optional<LatencyRig> rig;
  double timing_s = 2;  // of passes, for one latency

  Calibration search_texts;  // loss refers to it
  std::optional<CalibrationLoss> loss;
  double forward_tokens_per_s = 0;  // of the dense model in f32, in batches

  std::map<std::string, std::string> directories;  // of finished rungs, by name

  TimePlan plan;
  std::int64_t start_ns = 0;
  double before_s = 0;  // that the steps of earlier runs took

  bool trains() const { return tools.trainer && !request.oneshot; }
  double Elapsed() const { return static_cast<double>(tools.now_ns() - start_ns) * 1e-9; }
  // With the threads that the model will have; training and searching take request.work_threads.
  runtime::EngineOptions engine() const {
    return {.format = {}, .threads = request.threads, .isa = request.isa};
  }
  void Say(const std::string& step, double done) const {
    if (tools.report)
      tools.report({.step = step, .done = done, .news = {}, .seconds_left = Left()});
  }
  void News(const std::string& line) const {
    if (tools.report) tools.report({.step = {}, .done = -1, .news = line, .seconds_left = Left()});
  }

 private:
  double Left() const { return plan.total_s > 0 ? std::max(plan.total_s - Elapsed(), 0.0) : -1; }
};

// The ladder so far, beside the state.
base::Status SaveLadder(const CompressJob& job);

// `count` texts of the training file, or of the unlabelled one, chosen by the seed.
base::StatusOr<Calibration> CalibrationTexts(const CompressJob& job, std::size_t count,
                                             std::uint64_t seed);

}  // namespace hone::compress
