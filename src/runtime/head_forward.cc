#include "runtime/head_forward.h"

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "kernels/activation/activation.h"
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/pooling/pooling.h"

namespace hone::runtime {
namespace {

using model::Rows;

std::size_t Floats(int rows, int width) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width) * sizeof(float);
}

int CountRows(Rows rows, const Batch& batch, std::int32_t mask_id) {
  switch (rows) {
    case Rows::kAll: return batch.tokens();
    case Rows::kMasked: return static_cast<int>(std::ranges::count(batch.ids, mask_id));
    default: return batch.texts();
  }
}

// Copies or pools the rows that the head reads into out [rows, D].
void PickRows(Rows rows, const Batch& batch, const float* hidden, int width, std::int32_t mask_id,
              float* out) {
  const auto at = [&](int row) { return hidden + static_cast<std::ptrdiff_t>(row) * width; };
  const auto copy = [&](int row) {
    std::memcpy(out, at(row), Floats(1, width));
    out += width;
  };
  if (rows == Rows::kAll) {
    std::memcpy(out, hidden, Floats(batch.tokens(), width));
    return;
  }
  if (rows == Rows::kMasked) {
    for (int t = 0; t < batch.tokens(); ++t) {
      if (batch.ids[static_cast<std::size_t>(t)] == mask_id) copy(t);
    }
    return;
  }
  for (int b = 0; b < batch.texts(); ++b) {
    switch (rows) {
      case Rows::kFirst: copy(batch.begin(b)); break;
      case Rows::kLast: copy(batch.begin(b + 1) - 1); break;
      case Rows::kMean:
        kernels::MeanRows(at(batch.begin(b)), width, batch.length(b), width, out);
        out += width;
        break;
      case Rows::kMax:
        kernels::MaxRows(at(batch.begin(b)), width, batch.length(b), width, out);
        out += width;
        break;
      case Rows::kAll:
      case Rows::kMasked: HONE_CHECK(false);
    }
  }
}

void Dense(const HeadStagePlan& stage, int rows, const float* x, base::ThreadPool& pool,
           const SplitLimits& limits, HeadBuffers& buffers, float* y) {
  const PackedLinear& linear = stage.dense;
  const kernels::MatMulKernel& kernel = *linear.kernel;
  buffers.encoded.Reserve(static_cast<std::size_t>(rows) * linear.prepared_bytes());
  buffers.scratch.resize(static_cast<std::size_t>(pool.threads()));
  for (base::AlignedBuffer& scratch : buffers.scratch) {
    scratch.Reserve(kernel.scratch_bytes(linear.k));
  }
  kernel.prepare(x, linear.k, rows, linear.k, buffers.encoded.data());
  const kernels::Epilogue epilogue{
      .bias = linear.bias.empty() ? nullptr : linear.bias.data(),
      .activation = stage.activation,
  };
  const int panels = linear.panels();
  const auto multiply = [&](int begin, int end, int worker) {
    kernel.multiply(linear.packed, linear.n, linear.k, buffers.encoded.data(), rows, begin, end,
                    epilogue, y, linear.n, buffers.scratch[static_cast<std::size_t>(worker)].data(),
                    {});
  };
  if (static_cast<double>(rows) * linear.n * linear.k <= limits.work_per_worker &&
      kernel.packed_bytes(linear.n, linear.k) <= limits.own_cache_bytes) {
    multiply(0, panels, 0);
    return;
  }
  const int tasks = std::min(panels, kTasksAWorker * pool.threads());
  pool.ParallelFor(tasks, [&](int task, int worker) {
    multiply(panels * task / tasks, panels * (task + 1) / tasks, worker);
  });
}

}  // namespace

void ForwardHead(const EncoderPlan& plan, const HeadOutputPlan& output, const Batch& batch,
                 base::ThreadPool& pool, const SplitLimits& limits, HeadBuffers& buffers,
                 std::span<const float> hidden, std::int32_t mask_id, std::vector<float>* out) {
  const int rows = CountRows(output.rows, batch, mask_id);
  int width = plan.config.width, widest = width;
  for (const HeadStagePlan& stage : output.stages) widest = std::max(widest, stage.dense.n);
  buffers.even.Reserve(Floats(rows, widest));
  buffers.odd.Reserve(Floats(rows, widest));
  float* x = buffers.even.As<float>();
  float* y = buffers.odd.As<float>();
  PickRows(output.rows, batch, hidden.data(), width, mask_id, x);
  for (const HeadStagePlan& stage : output.stages) {
    if (rows == 0) break;
    if (!stage.dense.empty()) {
      Dense(stage, rows, x, pool, limits, buffers, y);
      width = stage.dense.n;
      std::swap(x, y);
    } else if (stage.activation != kernels::Activation::kNone) {
      kernels::Activate(stage.activation, x,
                        static_cast<std::size_t>(rows) * static_cast<std::size_t>(width));
    }
    if (!stage.norm.empty()) {
      kernels::LayerNorm(x, width, rows, width, stage.norm.gain.data(),
                         stage.norm.bias.empty() ? nullptr : stage.norm.bias.data(),
                         plan.config.norm_epsilon, x, width);
    }
  }
  if (plan.normalize) {
    for (int r = 0; r < rows; ++r) {
      kernels::L2Normalize(x + static_cast<std::ptrdiff_t>(r) * width, width);
    }
  }
  out->resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(output.width));
  HONE_CHECK(rows == 0 || width == output.width);
  if (rows != 0) std::memcpy(out->data(), x, Floats(rows, width));
}

}  // namespace hone::runtime
