// One forward pass over a ragged batch, as a single job of the thread pool. See local_engine.h.
#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "runtime/batch.h"
#include "runtime/encoder_plan.h"
#include "runtime/profile.h"
#include "runtime/tap.h"
#include "runtime/workspace.h"

namespace hone::runtime {

// Fewer rows than this a worker, and the pass is bound by moving the weights: products are then
// split by columns, so that each worker reads its share of them only. Measured on 2 cores with 2
// MiB of L2 each, int8: both ways take the same at 32 rows a worker, rows are 12 % faster at 64
// (MiniLM-L6), and columns 6 % faster at 8 (BERT-base).
inline constexpr int kRowsPerWorker = 48;

// Rows that a worker takes through a phase at once: the more, the fewer times the weights are
// streamed and int4 panels expanded. BERT-base at 1×384, 2 threads, int4: 70.6 ms by 96 rows, 68.8
// by 192; int8 and f32 the same within noise.
inline constexpr int kBlockRows = 192;

// hidden [T,D] is read where range.begin > 0 and always written. profile: one entry a worker, or
// empty. tap: may be empty.
void ForwardLayers(const EncoderPlan& plan, LayerRange range, const Batch& batch,
                   base::ThreadPool& pool, Workspace& workspace, std::span<WorkerProfile> profile,
                   const TapFunction& tap, float* hidden);

}  // namespace hone::runtime
