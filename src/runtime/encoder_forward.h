// One forward pass over a ragged batch, as a single job of the thread pool. See local_engine.h.
#pragma once

#include <span>
#include <vector>

#include "base/thread_pool.h"
#include "runtime/batch.h"
#include "runtime/encoder_plan.h"
#include "runtime/profile.h"
#include "runtime/tap.h"
#include "runtime/work_split.h"
#include "runtime/workspace.h"

namespace hone::runtime {

// hidden [T,D] is read where range.begin > 0 and always written. profile: one entry a worker, or
// empty. tap: may be empty.
void ForwardLayers(const EncoderPlan& plan, LayerRange range, const Batch& batch,
                   const WorkSplit& split, base::ThreadPool& pool, Workspace& workspace,
                   std::span<WorkerProfile> profile, const TapFunction& tap, float* hidden);

}  // namespace hone::runtime
