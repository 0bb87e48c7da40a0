#include "runtime/work_split.h"

#include <algorithm>

#include "env/caches.h"
#include "env/cpus.h"

namespace hone::runtime {
namespace {

// From so many rows a worker on they are many: blocks are then multiples of the tallest register tile.
constexpr int kManyRows = 48;

constexpr std::size_t kCoresPartOfLastCache = std::size_t{32} << 20;

struct Cost {
  double work = 0;  // in the unit of SplitLimits
  std::size_t weight_bytes = 0;
  std::size_t expanded_bytes = 0;  // those among them that are expanded before they are multiplied
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
      const std::size_t bytes = linear->kernel->packed_bytes(linear->n, linear->k);
      cost.weight_bytes += bytes;
      if (format == quant::Format::kInt4) cost.expanded_bytes += bytes;
    }
  }
  for (int b = 0; b < batch.texts(); ++b) {
    const double length = batch.length(b);
    cost.work += 2.0 * length * length * heads * plan.config.head_size;
  }
  return cost;
}

// Rows a worker from which a pass is split by rows.
int LeastRows(const Cost& cost, const SplitLimits& limits) {
  if (cost.expanded_bytes > cost.weight_bytes / 2) return kExpandedRows;
  if (cost.weight_bytes <= limits.own_cache_bytes) return kOwnCacheRows;
  if (cost.weight_bytes > limits.last_cache_bytes) return kMemoryRows;
  return std::min(kLastCacheRows, kOwnCacheRows + static_cast<int>(cost.weight_bytes / kBytesARow));
}

int DivideUp(int value, int divisor) {
  return (value + divisor - 1) / divisor;
}

}  // namespace

SplitLimits LimitsOfThisMachine() {
  const env::Caches& caches = env::MachineCaches();
  SplitLimits limits;
  if (caches.own_bytes > 0) limits.own_cache_bytes = caches.own_bytes;
  limits.last_cache_bytes = std::min<std::size_t>(
      caches.last_bytes, kCoresPartOfLastCache * static_cast<std::size_t>(env::AffinityCpus()));
  return limits;
}

WorkSplit ChooseSplit(const EncoderPlan& plan, LayerRange range, const Batch& batch, int threads,
                      const SplitLimits& limits) {
  const int tokens = batch.tokens();
  const Cost cost = CostOf(plan, range, batch);
  WorkSplit split;
  if (cost.work < limits.work_per_worker * threads) {
    threads = std::max(1, static_cast<int>(cost.work / limits.work_per_worker));
  }
  split.threads = threads;
  split.columns = threads > 1 && tokens < LeastRows(cost, limits) * threads;
  // Blocks of equal size, the same number for each worker. Where rows are many, a multiple of the
  // tallest register tile; where they are few, that would make the last block much smaller.
  const int blocks = DivideUp(tokens, kBlockRows * threads) * threads;
  split.block_rows = DivideUp(tokens, blocks);
  if (tokens >= kManyRows * threads) split.block_rows = DivideUp(split.block_rows, 8) * 8;
  return split;
}

}  // namespace hone::runtime
