// Which rungs stay in memory, and how the cores are split: pure functions over measured tables and
// observed arrival rates.
//
// Residency   Each model keeps, within the budget, the rungs that serve it best. A rung's usefulness
//             per byte is  rate · (value of the rung − value of the best that stays without it) / bytes,
//             where a model's first resident rung counts the whole of its requests (without one it must
//             be loaded first), and a second only the accuracy gained or the time saved. Greedy by
//             usefulness per byte, pinned rungs first; the exact optimum for small cases is in the test.
// Cores       One wide executor or several narrow ones: whichever serves the observed rates with less
//             of its time, among those whose single request still meets the deadlines seen.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time_ns.h"
#include "planner/latency_table.h"

namespace hone::planner {

struct RungDemand {
  std::uint64_t bytes = 0;
  double accuracy = 0;          // of the metric; only differences within a model count
  base::TimeNs request_ns = 0;  // expected time of a typical request of its model
  bool pinned = false;          // stays, whatever it costs
};

struct ModelDemand {
  double rate_per_s = 0;          // requests observed (or foreseen)
  std::vector<RungDemand> rungs;  // most accurate first
};

struct Residency {
  std::vector<std::vector<bool>> resident;  // [models][rungs]
  std::uint64_t bytes = 0;
  bool fits = true;  // false: the pinned ones alone are over the budget
};

// `budget_bytes` 0: no limit.
Residency ChooseResident(const std::vector<ModelDemand>& models, std::uint64_t budget_bytes);

// Resident rungs in the order in which they would be given up, least useful first; pinned ones are not
// in it.
struct RungRef {
  int model = 0, rung = 0;
  bool operator==(const RungRef&) const = default;
};
std::vector<RungRef> EvictionOrder(const std::vector<ModelDemand>& models,
                                   const std::vector<std::vector<bool>>& resident);

struct CoreDemand {
  double rate_per_s = 0;
  int texts = 1, tokens = 1;     // of a typical request
  base::TimeNs deadline_ns = 0;  // of the tightest tenth of its requests; 0: none seen
  // Of the rung mostly used, by executor width: tables[i] is of `widths[i]` threads.
  std::vector<const LatencyTable*> tables;
};

struct CoreSplit {
  std::vector<int> widths;  // of the executors; their sum is at most the cores
  double utilisation = 0;   // expected share of the executors' time
};

// `widths` are those that were measured, ascending (1 among them).
CoreSplit ChooseSplit(const std::vector<CoreDemand>& models, const std::vector<int>& widths,
                      int cores);

}  // namespace hone::planner
