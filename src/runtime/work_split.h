// How one forward pass is shared out among workers: decided before it, from what it costs.
//
// By rows, each worker takes its rows through a whole phase of a layer: all workers meet twice a
// layer, and what a row becomes stays in one core's caches; but each of them reads all weights. By
// columns, each reads its share of them only; but they meet ten times a layer, and every row passes
// from core to core each time. Rows are better from so many of them a worker on that multiplying
// takes as long as fetching the weights from where they lie.
//
// The same bits come out whatever is chosen (encoder_forward.cc).
#pragma once

#include <cstddef>

#include "runtime/batch.h"
#include "runtime/encoder_plan.h"

namespace hone::runtime {

// Rows that a worker takes through a phase at once: the more, the fewer times the weights are
// streamed and int4 panels expanded. BERT-base at 1×384, 2 threads, int4: 70.6 ms by 96 rows, 68.8
// by 192; int8 and f32 the same within noise.
inline constexpr int kBlockRows = 192;

// Blocks a worker in one pass; a batch of more rows is computed in several (batch_runs.h).
inline constexpr int kRunBlocks = 2;

// Rows a worker from which a pass is split by rows, by where the weights of its layers lie. Time by
// rows over time by columns, two cores with 2 MiB of L2 each:
//   int8, 1.5 MB     4 tokens 0.97, 8 0.77, 16 0.75, 26 0.71
//   int8, 3.2 MB     4 tokens 1.05, 16 0.85, 26 0.82
//   int8, 10.6 MB    8 tokens 1.08, 12 0.99, 16 0.92, 32 0.89
//   f32, 43 MB       8 tokens 1.17, 16 0.95, 32 0.95, 64 0.89
//   int8, 85 MB      16 tokens 1.22, 32 1.01, 40 0.88, 64 0.88
//   f32, 340 MB      16 tokens 1.43, 32 1.33, 48 0.97
// and of 1 MiB each with a faster last level (EPYC 9004):
//   int8, 1.8 MB     8 tokens 0.80, 12 0.87, 16 0.86
//   f32, 7.1 MB      4 tokens 1.28, 6 0.92, 12 0.89, 16 0.91
//   int8, 10.6 MB    4 tokens 1.16, 6 0.92, 8 0.82, 10 0.82
// The same cores where a hypervisor has them in two last-level caches (350 ns for a line to go and come back,
// not 100): f32, 7.1 MB, 12 tokens 0.71; int8, 1.8 MB, 8 tokens 0.55.
inline constexpr int kOwnCacheRows = 2;
inline constexpr std::size_t kBytesARow = std::size_t{4} << 20;  // in the last level: one row more
inline constexpr int kLastCacheRows = 8;                         // at most
inline constexpr int kMemoryRows = 20;
// By rows every worker expands all panels of int4 (10.6 MB as int8: 16 tokens 1.11, 48 1.03, 90
// 0.97 of the time by columns).
inline constexpr int kExpandedRows = 32;

// Tasks a worker in a product split by columns: enough that the last one out waits little.
inline constexpr int kTasksAWorker = 4;

struct SplitLimits {
  // The least work that is worth another worker, in multiply-adds of f32, those of int8 counted as
  // a quarter: some 40 µs, beside which waking and meeting cost little.
  double work_per_worker = 1.5e6;
  // Weights up to these sizes stay in each core's own cache, and in the one that cores share.
  std::size_t own_cache_bytes = std::size_t{512} << 10;
  std::size_t last_cache_bytes = 0;
};

// With this machine's caches. Of a last level larger than 32 MiB a core the rest counts as others':
// a virtual machine sees all of it (85 MB on two cores that see 260 MiB come from memory).
SplitLimits LimitsOfThisMachine();

struct WorkSplit {
  int threads = 1;       // that take part
  bool columns = false;  // products are split by columns, else blocks of rows are handed out
  int block_rows = 0;
};

WorkSplit ChooseSplit(const EncoderPlan& plan, LayerRange range, const Batch& batch, int threads,
                      const SplitLimits& limits);

}  // namespace hone::runtime
