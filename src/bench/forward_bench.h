// How long a forward pass takes: encoder and head, tokenisation left out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "runtime/local_engine.h"

namespace hone::bench {

// When to stop: after `reps` passes, or, where reps is 0, after `seconds`.
struct Effort {
  int reps = 0;
  double seconds = 1;
};

struct Timing {
  int reps = 0, warm_ups = 0;
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;
  double tokens_per_s = 0;  // at the median
  double mean_tokens = 0;   // of a batch that was timed
};

// Passes of one engine over given batches, timed one at a time by the caller: what several engines
// that are compared in turn need.
class ForwardPasses {
 public:
  // Each element of `batches` is the lengths of one batch's texts; ids are seeded random numbers
  // below `vocabulary`. HONE_CHECKs that there is a batch.
  ForwardPasses(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                std::span<const std::vector<int>> batches);

  std::size_t batches() const { return cases_.size(); }
  std::size_t tokens(std::size_t batch) const { return cases_[batch].ids.size(); }
  double Run(std::size_t batch);  // milliseconds

 private:
  // The tokens of one batch.
  struct Case {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> begins = {0};
  };

  runtime::LocalEngine& engine_;
  std::vector<Case> cases_;
  // Room for what comes out, the same for all: a file of many lines must not fill memory.
  base::AlignedVector<float> hidden_;
  std::vector<std::vector<float>> outputs_;
};

// Each element of `batches` is the lengths of one batch's texts. Passes go through the batches in
// turn, after a warm-up of the first few and of the largest; ids are seeded random numbers below
// `vocabulary`. `progress` gets what is done of 1, between passes and ten times a second at most; it
// may be empty.
Timing BenchForward(runtime::LocalEngine& engine, int head_outputs, int vocabulary,
                    std::span<const std::vector<int>> batches, const Effort& effort,
                    const std::function<void(double)>& progress = {});

}  // namespace hone::bench
