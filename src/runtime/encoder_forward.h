// One forward pass over a ragged batch, as a single job of the thread pool. See local_engine.h.
#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "runtime/batch.h"
#include "runtime/encoder_plan.h"
#include "runtime/profile.h"
#include "runtime/workspace.h"

namespace hone::runtime {

// Fewer rows than this a worker, and the pass is bound by moving the weights: products are then split
// by columns, so that each worker reads its share of them only. Measured on 2 cores with 2 MiB of L2
// each (MiniLM-L6, int8): by columns is faster up to about 48 rows a worker, by rows above.
inline constexpr int kRowsPerWorker = 48;

// Rows that a worker takes through a phase at once: their activations (F floats each) stay in L2, and
// each weight panel read serves them all.
inline constexpr int kBlockRows = 96;

// hidden [T,D] is read where range.begin > 0 and always written. profile: one entry a worker, or empty.
void ForwardLayers(const EncoderPlan& plan, LayerRange range, const Batch& batch,
                   base::ThreadPool& pool, Workspace& workspace, std::span<WorkerProfile> profile,
                   float* hidden);

}  // namespace hone::runtime
