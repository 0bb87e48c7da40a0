// A model as the planner is told of it at one moment: what is asked of it, and what it has.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "planner/core_split.h"
#include "planner/latency_table.h"
#include "planner/observed_demand.h"
#include "planner/residency.h"

namespace hone::planner {

// A look that follows rates takes at least that long: less says nothing of a rate.
inline constexpr double kWholeLookS = 0.5;

struct RungState {
  std::uint64_t bytes = 0;  // in memory
  double accuracy = 0;
  bool resident = false;
  bool usable = true;                     // false: it failed to load
  std::vector<LatencyTable> tables = {};  // one an executor width, ascending
};

struct ModelState {
  ObservedDemand demand;
  bool wanted = false;      // somebody asked while no rung was in memory
  bool waited_for = false;  // and can wait for it: is not answered yet
  bool pinned = false;      // all of its rungs
  std::uint64_t reserved_bytes = 0, limit_bytes = 0;
  std::vector<RungState> rungs;  // most accurate first
};

// What is in memory while nothing is known but sizes: all models count alike, and a pass takes about as long as
// its weights are large. `budget_bytes` above 0. An error where the pinned ones alone are over it.
base::StatusOr<std::vector<std::vector<bool>>> FirstResident(const std::vector<ModelState>& models,
                                                             std::uint64_t budget_bytes);
// By what was asked of them in the last seconds. Every rung has its tables.
std::vector<ModelDemand> MeanDemands(const std::vector<ModelState>& models);
// By what is asked of them just now.
std::vector<ModelDemand> RecentDemands(const std::vector<ModelState>& models, base::TimeNs now);
// They point to tables of `models`: of the most accurate rung in memory, where there is one.
std::vector<CoreDemand> CoreDemands(const std::vector<ModelState>& models);
std::vector<std::vector<bool>> ResidentOf(const std::vector<ModelState>& models);

}  // namespace hone::planner
