// Structured pruning of a model: which heads and feed-forward columns can go, at which price, and
// the model without them.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(std::vector<BlockSnapshots> blocks, TakeSnapshots(draft, data, options));
//   …choose an Assignment…
//   HONE_ASSIGN_OR_RETURN(Draft smaller, Stitch(draft, blocks, assignment));
//   or, slower and more accurate, Refit (refit.h).
//
// Source  ZipLM (arXiv 2302.04089).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/isa.h"
#include "base/status.h"
#include "compress/calibration.h"
#include "compress/draft.h"
#include "compress/prune/removal.h"
#include "compress/prune/snapshots.h"

namespace hone::compress {

struct PruneOptions {
  bool magnitude = false;  // the baseline instead of ZipLM's removal
  double damping = RemovalRequest::kDamping;
  // Moves biases by what the removed inputs gave in the mean, where the model has biases.
  bool shift_bias = true;
  int refit_target = 2;
  double ridge = 0.01;
  // Blocks that may be pruned; empty: all.
  std::function<bool(int layer, Block block)> wanted = {};
  int threads = 1;
  base::Isa isa = base::DetectIsa();
  // Called as blocks are done, from the caller's thread; may be empty.
  std::function<void(int done, int total)> progress = {};
};

// The snapshots of every wanted block of the draft as it is: one pass of the data, then one block
// after the other. Attention levels: every head count (all or none where the model has a relative
// position bias a head); feed-forward: ColumnCounts. Blocks that are gone already have none.
// Errors  weights that are quantised; activations that are not finite.
base::StatusOr<std::vector<BlockSnapshots>> TakeSnapshots(const Draft& draft,
                                                          const Calibration& data,
                                                          const PruneOptions& options);

// Bytes at most that TakeSnapshots needs with such batches, its result included.
std::uint64_t SnapshotBytes(const model::ModelConfig& config, int tokens_per_batch,
                            std::size_t tokens);

// Heads and columns of every layer once the assignment is stitched in.
std::vector<PrunedShape> ShapesOf(const Draft& draft, const std::vector<BlockSnapshots>& blocks,
                                  const Assignment& assignment);

}  // namespace hone::compress
