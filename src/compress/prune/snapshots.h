// What one-at-a-time removal leaves behind: for each block of a layer (attention, feed-forward) the
// weights at every level, so that a search can put any combination together without computing again.
//
// Source  ZipLM (arXiv 2302.04089), algorithm 1 and section 3.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "compress/draft.h"

namespace hone::compress {

enum class Block : std::uint8_t { kAttention, kFeedForward };

struct Level {
  int kept = 0;  // heads, or columns of the feed-forward; 0: the block is gone
  double error = 0;  // Σ‖W_s x + c − W x‖² / Σ‖W x‖² on calibration data; 1 where it is gone
  std::vector<int> structures;  // those kept, ascending
  std::vector<float> weight;    // of the output (or down) matrix: [D, kept·K] or [D, kept]
  // c, to be added to the matrix's bias: what the removed inputs gave in the mean. Empty: nothing.
  std::vector<float> bias_shift;
};

struct BlockSnapshots {
  int layer = 0;
  Block block = Block::kAttention;
  std::vector<Level> levels;  // from whole (unchanged weights) to gone
};

// One level index a block, in the order of the snapshots.
using Assignment = std::vector<int>;

// A copy of the draft with each block at its level: rows of query, key, value or up and columns of
// output or down physically gone, biases with them. A block that is whole keeps its tensors as they
// are. The copy is bound.
// Errors  a draft whose shapes or number format are not those the snapshots were taken of; part of
//         the heads where the model has a relative position bias for each (MPNet): all or none.
base::StatusOr<Draft> Stitch(const Draft& draft, const std::vector<BlockSnapshots>& blocks,
                             const Assignment& assignment);

}  // namespace hone::compress
