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

// Of the dense model and of one that is compared with it, taken in turn.
struct LatencyPair {
  LatencyFigures dense, candidate;
};

// Milliseconds of one pass of each model over one batch, one after the other.
using Turn = std::vector<double>;

// `turns` of each batch; at least one a batch, as many of each, all of the same models. One result a
// model, its batches' passes taken together:
//   p50       of the quietest third of each batch's turns, those in which all models together were
//             fastest (least Σ time / the model's best), so that what another program disturbed is
//             left out for all of them and ratios of medians are fair. The mean of their middle fifth
//             (base::MiddleMean): lengths are whole tokens, so that the plain median is a stair, whose
//             steps are 12 % of a tiny model's pass, and targets between two steps could not be met
//   p95, p99  of all turns: what disturbs a pass is what makes a tail, and deadlines are met by tails
// p50 ≤ p95: an eighth of all turns is no faster than the quiet ones' middle fifth.
std::vector<LatencyFigures> FiguresOf(const std::vector<std::vector<Turn>>& turns);

// Times the batches of all `models` (of one workload each; as many batches in every one) for about
// `seconds`: sweeps over the batches, each model's passes after the other's. The last of a model's passes
// counts: those before it find the caches full of another model and the threads asleep, and take a
// millisecond at least, many passes of a tiny model. One result a model, by FiguresOf.
std::vector<LatencyFigures> MeasureInTurn(std::span<bench::ForwardPasses* const> models,
                                          double seconds);

// Lengths as batches of `batch` texts each, in order of length, thinned to at most `most` that keep
// the distribution: percentiles of few are those of all.
std::vector<std::vector<int>> RepresentativeBatches(std::vector<int> lengths, int batch,
                                                    std::size_t most);

// A few lengths from the middle of the distribution: their mean time is about the median time.
std::vector<int> MiddleLengths(std::vector<int> lengths);

}  // namespace hone::compress
