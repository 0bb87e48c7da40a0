// hone compress: from a model, a task and targets to a ladder of measured rungs.
//
//   compress::CompressRequest request{.model = "minilm-sst2", .out = "ladder", .task = "sst2", …};
//   HONE_ASSIGN_OR_RETURN(compress::LadderReport ladder,
//                         compress::Compress(request, {.files = env::RealFileSystem(), …}));
//
// For each target, from the slowest to the fastest, the recipe's stages run in order; each rung begins
// from the float model of the one before (gradual), or, without training, from the dense model. Every
// step leaves what it made under OUT.partial and a line in its state.json: run again, a killed command
// goes on behind the last finished step; training goes on within the step. At the end the rungs are
// copied together and moved to OUT, which is written whole or not at all.
//
// Missed  a target that no shape of the model reaches, or a drop that no rung keeps, is named in the
//         result's `missed`, and the other rungs make the ladder; an error only where there are none.
// Errors  everything that can be known early is said before hours are spent: files, columns, recipe,
//         targets nobody can meet, memory and disk. An OUT.partial of another request is refused;
//         a target that nobody can meet leaves none where nothing was made yet.
// Source  ZipLM (arXiv 2302.04089), gradual pruning with rewinds.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "compress/ladder/ladder.h"
#include "compress/recipe/recipe.h"
#include "compress/trainer.h"
#include "env/file.h"

namespace hone::compress {

struct CompressRequest {
  std::string model, out;
  std::string task;                // eval::FindTask
  std::vector<std::string> train;  // files; calibration takes its texts from them
  std::string dev;                 // file
  std::string text;                // unlabelled lines, instead of or beside `train`
  std::string columns;

  std::vector<double> speedups;      // over the dense model in f32; each above 1
  std::vector<double> latencies_ms;  // p50; each above 0
  // Points; above 0: also the fastest rung within the drop. 0 and no target: the recipe's.
  double max_drop = 0;

  int batch = 1, threads = 1;  // that the model is timed with, and will have in use
  int work_threads = 1;        // that training and searching take
  int sequence = 0;            // tokens of every text that is timed; 0: as `lengths` or `dev` has
  std::string lengths;         // a file whose lines' lengths are timed
  std::string device_profile;  // a file; empty: measure here
  base::Isa isa = base::DetectIsa();

  Recipe recipe;
  bool oneshot = false;       // leaves out every stage that trains
  double budget_seconds = 0;  // 0: as long as it takes
  std::uint64_t seed = 1;
};

struct CompressProgress {
  std::string step;          // "2x: searching"
  double done = 0;           // of this step, 0 … 1; below 0: unknown
  std::string news;          // a line worth keeping, or empty
  double seconds_left = -1;  // of the whole; below 0: unknown
};

struct CompressTools {
  env::FileSystem& files;
  Trainer trainer;                                      // empty: one-shot
  std::function<void(const CompressProgress&)> report;  // may be empty
  std::function<std::int64_t()> now_ns;                 // a monotonic clock; required
};

base::StatusOr<LadderReport> Compress(const CompressRequest& request, const CompressTools& tools);

}  // namespace hone::compress
