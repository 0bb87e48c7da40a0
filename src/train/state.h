// What a run that was killed needs to go on as if it had not been: written as one safetensors file,
// aside and renamed, so that it is always of one moment.
//
// The weights and Adam's moments are tensors; all else is JSON in the file's metadata. Random numbers
// need no state: each stream is named by seed, epoch and step (random.h).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "train/adamw.h"
#include "train/graph.h"

namespace hone::train {

struct RunState {
  std::string request;  // what was asked for; a run is gone on with only if that is the same
  std::int64_t step = 0, steps = 0;  // done, and laid out
  double seconds = 0;                // spent
  double smoothed_loss = 0;
  double best = 0, last = 0;  // NaN before the first evaluation
  std::int64_t best_step = -1;
  int worse_in_a_row = 0;
  bool finished = false;
  std::vector<std::pair<std::int64_t, double>> evaluations;
};

std::string StatePath(const std::string& out);       // out + ".training/state.safetensors"
std::string StateDirectory(const std::string& out);  // out + ".training"

base::Status WriteState(env::FileSystem& files, const std::string& path, const RunState& state,
                        const std::vector<Parameter>& parameters, const AdamW& adam);

// The state without its tensors.
base::StatusOr<RunState> ReadRunState(env::FileSystem& files, const std::string& path);

// Puts the tensors back. Errors name one that is missing or has another shape.
base::Status RestoreTensors(env::FileSystem& files, const std::string& path, std::int64_t steps,
                            const std::vector<Parameter>& parameters, AdamW* adam);

}  // namespace hone::train
