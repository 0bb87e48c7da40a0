// Which rungs stay in memory: a pure function of their sizes, their worth and observed arrival rates.
//
// What a model's resident rungs S are worth is
//   V(S) = rate · (1 + ¼ · accuracy(S) + ¼ · speed(S)),   V({}) = 0
// accuracy(S): of its best, from 0 (the model's worst rung) to 1 (its best);
// speed(S): of its fastest, the time saved as a share of the model's slowest rung.
// So a first rung counts all of the model's requests (without one it must be loaded before anything is
// answered), a second only what it adds. Pinned rungs first, then greedy by what is added per byte or by what
// is added, each time with the best set of rungs for every model beside the others' after it, whichever ends
// better. Objective: the sum of V; it fails to be the optimum where sizes fit badly
// (the exact one is in the test).
//
// A model's own limit holds for it as the budget does for all, pinned rungs apart; what is reserved for it and
// not used by it is nobody else's.
#pragma once

#include <cstdint>
#include <vector>

#include "base/time_ns.h"

namespace hone::planner {

struct RungDemand {
  std::uint64_t bytes = 0;
  double accuracy = 0;          // of the metric; only differences within a model count
  base::TimeNs request_ns = 0;  // expected time of a typical request of its model
  bool pinned = false;          // stays, whatever it costs
  bool usable = true;           // false: it failed to load, and is never chosen
};

struct ModelDemand {
  double rate_per_s = 0;                              // requests observed (or foreseen)
  std::vector<RungDemand> rungs;                      // most accurate first
  std::uint64_t reserved_bytes = 0, limit_bytes = 0;  // limit 0: none
};

struct Residency {
  std::vector<std::vector<bool>> resident;  // [models][rungs]
  std::uint64_t bytes = 0;
  bool fits = true;  // false: the pinned ones alone are over the budget
};

// `budget_bytes` 0: no limit.
Residency ChooseResident(const std::vector<ModelDemand>& models, std::uint64_t budget_bytes);

// The sum of V, which ChooseResident makes large.
double ResidencyValue(const std::vector<ModelDemand>& models,
                      const std::vector<std::vector<bool>>& resident);

// Bytes that may be added to `model` beside what is resident.
std::uint64_t RoomFor(const std::vector<ModelDemand>& models,
                      const std::vector<std::vector<bool>>& resident, std::uint64_t budget_bytes,
                      int model);

// Whether a rung can never be in memory: `budget` of all, `limit` of its model; 0: there is none.
constexpr bool NeverFits(std::uint64_t bytes, std::uint64_t budget, std::uint64_t limit) {
  return (budget > 0 && bytes > budget) || (limit > 0 && bytes > limit);
}

// Resident rungs in the order in which they would be given up, least useful first; pinned ones are not
// in it, nor those without which a model would have less than is reserved for it.
struct RungRef {
  int model = 0, rung = 0;
  bool operator==(const RungRef&) const = default;
};
std::vector<RungRef> EvictionOrder(const std::vector<ModelDemand>& models,
                                   const std::vector<std::vector<bool>>& resident);

}  // namespace hone::planner
