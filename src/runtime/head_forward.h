// The head's outputs from the encoder's: rows picked or pooled, then stages y = norm(activate(dense
// x)).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "runtime/batch.h"
#include "runtime/encoder_plan.h"
#include "runtime/work_split.h"

namespace hone::runtime {

struct HeadBuffers {
  base::AlignedBuffer encoded;
  base::AlignedBuffer even, odd;  // a stage reads one and writes the other
  std::vector<base::AlignedBuffer> scratch;
};

// hidden [T,D]. `out` becomes [rows, output.width]; rows in text order.
void ForwardHead(const EncoderPlan& plan, const HeadOutputPlan& output, const Batch& batch,
                 base::ThreadPool& pool, const SplitLimits& limits, HeadBuffers& buffers,
                 std::span<const float> hidden, std::int32_t mask_id, std::vector<float>* out);

}  // namespace hone::runtime
