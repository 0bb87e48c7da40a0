// Latencies of several models that are compared: taken in turn, pass by pass, so that whatever else
// the machine does meets all of them alike.
#pragma once

#include <span>
#include <vector>

#include "bench/forward_bench.h"

namespace hone::compress {

struct LatencyFigures {
  double p50_ms = 0, p95_ms = 0, p99_ms = 0;
};

// Times the batches of all `models` (of one workload each; as many batches in every one) for about
// `seconds`: sweeps over the batches, two passes of each model after the other. The second counts,
// since the first finds the caches full of another model. Of every batch the quietest third of the
// turns counts, those in which all models together were fastest; what another program disturbed is
// left out for all of them. One result a model.
std::vector<LatencyFigures> MeasureInTurn(std::span<bench::ForwardPasses* const> models,
                                          double seconds);

// Lengths as batches of `batch` texts each, in order of length, thinned to at most `most` that keep
// the distribution: percentiles of few are those of all.
std::vector<std::vector<int>> RepresentativeBatches(std::vector<int> lengths, int batch,
                                                    std::size_t most);

// A few lengths from the middle of the distribution: their mean time is about the median time.
std::vector<int> MiddleLengths(std::vector<int> lengths);

}  // namespace hone::compress
