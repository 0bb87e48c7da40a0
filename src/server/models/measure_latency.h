// Measures a latency table (planner/latency_table.h) on an engine, within a budget of time.
#pragma once

#include "planner/latency_table.h"
#include "runtime/local_engine.h"

namespace hone::server {

struct MeasureLimits {
  int outputs = 1;     // of the head
  int vocabulary = 0;  // ids are random below it
  int max_tokens = 0;  // of a text
  int max_texts = 0;   // of a batch
  int batch_tokens = 0;
  double budget_ms = 0;  // of the whole measurement; at least the shortest text is timed
};

// A grid of lengths {8, 16, 32, 64, 128, …, max_tokens} and texts {1, 2, 4, …, max_texts ≤ 32}. What
// costs more than what is left of the budget is not timed: a cell then takes its time from the
// nearest smaller one, in proportion to the tokens.
//   cell = the median of three passes, or where they are long the lesser of two; processor time of an engine of
//          one thread, which may run beside others
planner::LatencyGrid MeasureLatency(runtime::LocalEngine& engine, const MeasureLimits& limits);

}  // namespace hone::server
