// How the cores are split among executors: one wide or several narrow ones. A pure function of measured tables
// and observed arrival rates.
//
// Whichever serves the observed rates with less of its time, among those on which every model's request takes
// at most half of the deadlines seen: a request may find each executor just busy with another. Where none does,
// the one that comes nearest. Without rates the widest, which answers soonest.
#pragma once

#include <vector>

#include "base/time_ns.h"
#include "planner/latency_table.h"

namespace hone::planner {

struct CoreDemand {
  double rate_per_s = 0;
  int texts = 1, tokens = 1;     // of a typical request
  base::TimeNs deadline_ns = 0;  // of the tightest tenth of its requests; 0: none seen
  // Of the rung mostly used, by executor width: tables[i] is of `widths[i]` threads.
  std::vector<const LatencyTable*> tables;
};

struct CoreSplit {
  std::vector<int> widths = {};  // of the executors; their sum is at most the cores
  double utilisation = 0;        // expected share of the executors' time
};

// `widths` are those that were measured, ascending (1 among them).
CoreSplit ChooseSplit(const std::vector<CoreDemand>& models, const std::vector<int>& widths,
                      int cores);

}  // namespace hone::planner
