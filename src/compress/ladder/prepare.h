// What happens before anything is measured: checking what was asked for, reading it.
#pragma once

#include <vector>

#include "base/status.h"
#include "compress/ladder/job.h"

namespace hone::compress {

// Points of --max-drop: asked for, or the recipe's where no target is given.
double MaxDrop(const CompressRequest& request);

// Targets that make sense, files that are there, an OUT that is not; nothing is read yet.
base::Status CheckRequest(CompressJob& job);

// OUT.partial, and the ladder as far as it got there.
base::Status OpenWork(CompressJob& job);

// Dense model, tokenizer, data.
base::Status ReadInputs(CompressJob& job);

// The slowest first, as gradual pruning goes. Latencies become comparable through the dense p50.
std::vector<PruneTarget> SortedTargets(const CompressJob& job);

// NotFound where a target is faster than the model without any block, by the latency table of
// MeasureDevice.
base::Status CheckTargets(CompressJob& job, const std::vector<PruneTarget>& targets);

}  // namespace hone::compress
