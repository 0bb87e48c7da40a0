// Follows ChooseResident in time: what is loaded next, and what leaves memory for it. The server drives it
// with real loads, the simulation with made-up ones.
//
// Usage
//   for (const RungRef& rung : keeper.Look(models, whole)) {
//     MakingRoom room(models, keeper.choice(), budget, rung);
//     while ((result = room.Try(evict)) == MakingRoom::kBlocked) …   // a pause of MakingRoom::kPauseNs
//     if (result == MakingRoom::kMade) …                             // load it
//   }
//   … and where something was loaded, look again at once.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/time_ns.h"
#include "planner/model_state.h"

namespace hone::planner {

class MemoryKeeper {
 public:
  explicit MemoryKeeper(std::uint64_t budget_bytes) : budget_(budget_bytes) {}

  // To be loaded, one after the other; a rung of -1: nothing can be loaded for that model, whoever waits.
  // Models that somebody waits for come first: the best rung that the planner would keep, and where it
  // would keep none the smallest. Else one rung that would serve better, where it would have at the `whole`
  // look before (one of those by which rates are followed) as well: one burst is not a change of load; and where
  // what it would displace is worth clearly less, so that equals do not take turns.
  std::vector<RungRef> Look(const std::vector<ModelState>& models, bool whole);
  // Of the last look: what the planner would keep.
  const std::vector<std::vector<bool>>& choice() const { return choice_; }

 private:
  bool Steady(std::size_t model, std::size_t rung) const;

  const std::uint64_t budget_;
  std::vector<std::vector<bool>> choice_, whole_,
      whole_before_;  // of the last look, and whole ones
};

// Makes room for one rung: what is not of `choice` goes first, of these the least useful, and where the model's
// own limit stands in the way only its own rungs. One that accepted queries were promised stays until they are answered.
class MakingRoom {
 public:
  enum Result {
    kMade,
    kBlocked,  // try again after kPauseNs
    kNone,     // there will be none, or not soon enough: kTries were made
  };
  static constexpr base::TimeNs kPauseNs = 5 * base::kMillisecondNs;
  static constexpr int kTries = 200;

  MakingRoom(const std::vector<ModelState>& models, const std::vector<std::vector<bool>>& choice,
             std::uint64_t budget_bytes, RungRef rung);

  // `evict` takes a rung out of memory; false where an accepted query may need it.
  Result Try(const std::function<bool(RungRef)>& evict);

 private:
  bool Fits(std::uint64_t budget_bytes) const;

  const std::vector<ModelDemand> demands_;
  const std::uint64_t budget_;
  const RungRef rung_;
  std::vector<std::vector<bool>> resident_;
  std::vector<RungRef> order_;  // of those that may still go
  int tries_ = 0;
};

}  // namespace hone::planner
