// How one forward pass is shared out among workers: decided before it, from what it costs.
//
// The same bits come out whatever is chosen (encoder_forward.cc).
#pragma once

#include <cstddef>

#include "runtime/batch.h"
#include "runtime/encoder_plan.h"

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

struct SplitLimits {
  // The least work that is worth another worker, in multiply-adds of f32, those of int8 counted as
  // a quarter: some 40 µs, beside which waking and meeting cost little.
  double work_per_worker = 1.5e6;
  // Weights of this size or less stay in each worker's L2 (512 KiB to 2 MiB): a split by rows then
  // reads them no slower than one by columns, and meets twice a layer instead of ten times.
  std::size_t resident_bytes = std::size_t{1} << 20;
};

struct WorkSplit {
  int threads = 1;       // that take part
  bool columns = false;  // products are split by columns, else blocks of rows are handed out
  int block_rows = 0;
};

WorkSplit ChooseSplit(const EncoderPlan& plan, LayerRange range, const Batch& batch, int threads,
                      const SplitLimits& limits);

}  // namespace hone::runtime
