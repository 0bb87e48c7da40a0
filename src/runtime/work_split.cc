#include "runtime/work_split.h"

#include <algorithm>

namespace hone::runtime {
namespace {

struct Cost {
  double work = 0;  // in the unit of SplitLimits
  std::size_t weight_bytes = 0;
};

Cost CostOf(const EncoderPlan& plan, LayerRange range, const Batch& batch) {
  Cost cost;
  int heads = 0;
  for (int l = range.begin; l < range.end; ++l) {
    const LayerPlan& layer = plan.layers[static_cast<std::size_t>(l)];
    heads += layer.shape.heads;
    for (const PackedLinear* linear : {&layer.qkv, &layer.output, &layer.up, &layer.down}) {
      if (linear->empty()) continue;
      const quant::Format format = linear->kernel->format;
      const bool integers = format == quant::Format::kInt8 || format == quant::Format::kInt4;
      cost.work += (integers ? 0.25 : 1.0) * batch.tokens() * linear->n * linear->k;
      cost.weight_bytes += linear->kernel->packed_bytes(linear->n, linear->k);
    }
  }
  for (int b = 0; b < batch.texts(); ++b) {
    const double length = batch.length(b);
    cost.work += 2.0 * length * length * heads * plan.config.head_size;
  }
  return cost;
}

int DivideUp(int value, int divisor) {
  return (value + divisor - 1) / divisor;
}

}  // namespace

WorkSplit ChooseSplit(const EncoderPlan& plan, LayerRange range, const Batch& batch, int threads,
                      const SplitLimits& limits) {
  const int tokens = batch.tokens();
  const Cost cost = CostOf(plan, range, batch);
  WorkSplit split;
  if (cost.work < limits.work_per_worker * threads) {
    threads = std::max(1, static_cast<int>(cost.work / limits.work_per_worker));
  }
  split.threads = threads;
  const bool few_rows = threads > 1 && tokens < kRowsPerWorker * threads;
  split.columns = few_rows && cost.weight_bytes > limits.resident_bytes;
  // Blocks of equal size, the same number for each worker. Where rows are many, a multiple of the
  // tallest register tile; where they are few, that would make the last block much smaller.
  const int blocks = DivideUp(tokens, kBlockRows * threads) * threads;
  split.block_rows = DivideUp(tokens, blocks);
  if (!few_rows) split.block_rows = DivideUp(split.block_rows, 8) * 8;
  return split;
}

}  // namespace hone::runtime
