// Measures a device profile: whole passes of models of many sampled shapes, with random weights and
// the given model's embeddings and head, least squares on their times (cost_fit.h).
#pragma once

#include <functional>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "compress/latency/device_profile.h"
#include "model/model.h"

namespace hone::compress {

struct MeasureOptions {
  Workload workload;                   // lengths: any number; the middle of them is timed
  std::vector<quant::Format> formats;  // each is timed
  base::Isa isa = base::DetectIsa();
  double seconds = 20;  // about, for all formats together
  std::uint64_t seed = 1;
};

struct MeasuredProfile {
  DeviceProfile profile;
  double spread = 0;  // the largest of the formats' median relative error of a whole pass
};

// `progress` gets what is done of 1; it may be empty. Errors: a length beyond the model's limit.
base::StatusOr<MeasuredProfile> MeasureProfile(const model::Model& model,
                                               const MeasureOptions& options,
                                               const std::function<void(double)>& progress);

// The widths that are told apart: round(F·0.9^k) down to about one in a hundred, and 0; ascending.
std::vector<int> FfnWidths(int ffn);

}  // namespace hone::compress
