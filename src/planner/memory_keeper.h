// Follows ChooseResident in time: what is loaded next, and what leaves memory for it. The server drives it
// with real loads, the simulation with made-up ones.
//
// Usage
//   for (const RungRef& rung : keeper.Look(models, whole, now)) {
//     MakingRoom room = keeper.RoomFor(models, rung);
//     while ((result = room.Try(evict)) == MakingRoom::kBlocked) …   // a pause of MakingRoom::kPauseNs
//     if (result == MakingRoom::kMade) …                             // load it
//   }
//   … and where something was loaded, look again at once.
//
// Two clocks   Who waits is served by what is asked for just now: a plan by the last seconds would take back for
//              a model that nobody asks any more what it was just given. What would serve better is loaded by
//              the means of those seconds, and only at a whole look.
// Who cannot wait   (its deadline is over before the load is) gets what nobody asks for any more, and of others
//              what leaves them a rung; else what the plan gives it. Two models that do not fit beside each other
//              would otherwise displace each other at every request, and be loaded all the time instead of
//              answering.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/time_ns.h"
#include "planner/model_state.h"

namespace hone::planner {

// Makes room for one rung: what is not of `choice` goes first, of these the least useful, and where the model's
// own limit stands in the way only its own rungs. One that accepted queries were promised stays until they are
// answered.
class MakingRoom {
 public:
  enum Result {
    kMade,
    kBlocked,  // try again after kPauseNs
    kNone,     // there will be none (nothing was evicted), or not soon enough: kTries were made
  };
  static constexpr base::TimeNs kPauseNs = 5 * base::kMillisecondNs;
  static constexpr int kTries = 200;

  // `spared`: models of which one rung stays, that of `rung` apart.
  MakingRoom(std::vector<ModelDemand> demands, std::vector<std::vector<bool>> resident,
             const std::vector<std::vector<bool>>& choice, std::uint64_t budget_bytes, RungRef rung,
             const std::vector<bool>& spared);

  // `evict` takes a rung out of memory; false where an accepted query may need it.
  Result Try(const std::function<bool(RungRef)>& evict);
  bool Possible() const;  // with all gone that may go

 private:
  bool Fits(std::uint64_t budget_bytes) const;
  void KeepOne(std::size_t model);
  std::uint64_t BytesOf(const RungRef& ref) const;

  const std::vector<ModelDemand> demands_;
  const std::uint64_t budget_;
  const RungRef rung_;
  std::vector<std::vector<bool>> resident_;
  std::vector<RungRef> order_;  // of those that may still go
  int tries_ = 0;
};

class MemoryKeeper {
 public:
  explicit MemoryKeeper(std::uint64_t budget_bytes) : budget_(budget_bytes) {}

  // To be loaded, one after the other; a rung of -1: nothing can be loaded for that model, whoever waits.
  // Models that somebody waits for come first: the best rung that the planner would keep, and where it
  // would keep none the smallest. Else one rung that the last `whole` look (one of those by which rates are
  // followed) found to serve better, as the one before had: one burst is not a change of load; and where what
  // it would displace is worth clearly less, so that equals do not take turns.
  std::vector<RungRef> Look(const std::vector<ModelState>& models, bool whole, base::TimeNs now);
  // For a rung of the last look.
  MakingRoom RoomFor(const std::vector<ModelState>& models, RungRef rung) const;

 private:
  bool Steady(std::size_t model, std::size_t rung) const;
  // The next rung of the plan that is not in memory.
  std::optional<RungRef> Better(const std::vector<ModelState>& models) const;
  std::vector<RungRef> ByPlan(const std::optional<RungRef>& rung);
  // Models that go on answering where nobody waits for that rung.
  std::vector<bool> Spared(const std::vector<ModelState>& models, RungRef rung) const;

  const std::uint64_t budget_;
  base::TimeNs now_ = 0;
  bool by_plan_ = false;            // the last look's load is the plan's
  std::optional<RungRef> offered_;  // by the plan, while somebody asks in vain
  // What the last look went by, and what it would keep.
  std::vector<ModelDemand> demands_;
  std::vector<std::vector<bool>> choice_;
  std::vector<ModelDemand> mean_demands_;
  std::vector<std::vector<bool>> mean_choice_, last_mean_choice_;  // of the last two whole looks
  bool planned_ = false;  // by the last whole look, and nobody has waited since
};

}  // namespace hone::planner
