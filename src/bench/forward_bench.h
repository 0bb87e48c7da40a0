// How long a forward pass takes: encoder and head, tokenisation left out.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "runtime/local_engine.h"

namespace hone::bench {

// When to stop: after `reps` passes, or, where reps is 0, after `seconds`.
struct Effort {
  int reps = 0;
  double seconds = 1;
};

struct Timing {
  int reps = 0;
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;
  double tokens_per_s = 0;  // at the median
  double mean_tokens = 0;   // of a batch
};

// Each element of `batches` is the lengths of one batch's texts. Passes go through the batches in
// turn, after one warm-up of each; ids are seeded random numbers below `vocabulary`.
Timing BenchForward(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                    std::span<const std::vector<int>> batches, const Effort& effort);

}  // namespace hone::bench
