// The activations of one forward pass: buffers that grow to the largest run of a batch and then stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "runtime/batch.h"
#include "runtime/encoder_plan.h"
#include "runtime/steps.h"
#include "runtime/work_split.h"

namespace hone::runtime {

// Buffers for a block of rows; a row's place is relative to the block.
struct BlockBuffers {
  base::AlignedBuffer normed;   // [block, D] f32, pre-norm models
  base::AlignedBuffer encoded;  // [block] rows in a kernel's format
  base::AlignedBuffer up;       // [block, F or 2F] f32
  base::AlignedBuffer gated;    // [block, F] f32
};

struct WorkerBuffers {
  BlockBuffers block;
  base::AlignedBuffer product_scratch;
  base::AlignedBuffer attention_prepared;
  base::AlignedBuffer attention_scratch;
};

struct Workspace {
  base::AlignedBuffer qkv;      // [T, 3·H·K] f32
  base::AlignedBuffer context;  // [T, H·K] f32
  BlockBuffers shared;          // all rows, where products are split by columns
  std::vector<WorkerBuffers> workers;
  std::vector<std::int32_t> positions;   // [T] position ids
  std::vector<std::int32_t> no_types;    // [T] zeros, for batches without types
  std::vector<int> order;                // texts, longest first
  std::vector<std::int32_t> run_begins;  // of BatchRuns
  Steps steps;

  // Lists positions (counted from `position_offset`), and the texts with the longest first. Returns
  // the longest's length.
  int LayOut(const Batch& batch, int position_offset);

  // Makes room: `tokens` in all, the longest text of `longest`, and the blocks of `split`.
  void Reserve(const EncoderPlan& plan, int tokens, int longest, const WorkSplit& split);
};

}  // namespace hone::runtime
