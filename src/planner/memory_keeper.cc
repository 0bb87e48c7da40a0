#include "planner/memory_keeper.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace hone::planner {
namespace {

using base::TimeNs;

// What a model that somebody waits for gets; -1: none of its rungs can be loaded.
int FirstRung(const ModelState& model, const std::vector<bool>& chosen) {
  int smallest = -1;
  for (int r = 0; r < static_cast<int>(model.rungs.size()); ++r) {
    const RungState& rung = model.rungs[static_cast<std::size_t>(r)];
    if (!rung.usable) continue;
    if (chosen[static_cast<std::size_t>(r)]) return r;
    if (smallest < 0 || rung.bytes < model.rungs[static_cast<std::size_t>(smallest)].bytes) {
      smallest = r;
    }
  }
  return smallest;
}

// Whether the models that `choice` treats otherwise are worth clearly more with it, or it takes nothing away.
bool WorthIt(const std::vector<ModelDemand>& demands,
             const std::vector<std::vector<bool>>& resident,
             const std::vector<std::vector<bool>>& choice) {
  constexpr double kClearly = 1.02;
  double now = 0, then = 0;
  bool takes = false;
  for (std::size_t m = 0; m < demands.size(); ++m) {
    if (resident[m] == choice[m]) continue;
    now += ResidencyValue({demands[m]}, {resident[m]});
    then += ResidencyValue({demands[m]}, {choice[m]});
    for (std::size_t r = 0; r < choice[m].size(); ++r) takes |= resident[m][r] && !choice[m][r];
  }
  return !takes || then > now * kClearly;
}

}  // namespace

bool MemoryKeeper::Steady(std::size_t model, std::size_t rung) const {
  // Models come and go: another number of them says nothing of these.
  if (last_mean_choice_.size() != mean_choice_.size() || model >= mean_choice_.size()) return false;
  const auto has = [&](const std::vector<bool>& rungs) {
    return rung < rungs.size() && rungs[rung];
  };
  return has(mean_choice_[model]) && has(last_mean_choice_[model]);
}

std::vector<RungRef> MemoryKeeper::Look(const std::vector<ModelState>& models, bool whole,
                                        TimeNs now) {
  now_ = now;
  if (whole) {
    mean_demands_ = MeanDemands(models);
    last_mean_choice_ = std::move(mean_choice_);
    mean_choice_ = ChooseResident(mean_demands_, budget_).resident;
    planned_ = WorthIt(mean_demands_, ResidentOf(models), mean_choice_);
    offered_.reset();
  }
  const std::optional<RungRef> better = Better(models);
  if (std::ranges::none_of(models, &ModelState::wanted)) return ByPlan(better);
  by_plan_ = false;
  demands_ = RecentDemands(models, now);
  choice_ = ChooseResident(demands_, budget_).resident;
  std::vector<RungRef> loads;
  bool possible = false;
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (!models[m].wanted) continue;
    const RungRef rung = {static_cast<int>(m), FirstRung(models[m], choice_[m])};
    loads.push_back(rung);
    possible |= models[m].waited_for || (rung.rung >= 0 && RoomFor(models, rung).Possible());
  }
  if (possible) {
    planned_ = false;
  } else if (better &&
             better != offered_) {  // once: where there is no room for it either, that is told
    offered_ = better;
    return ByPlan(better);
  }
  return loads;
}

std::optional<RungRef> MemoryKeeper::Better(const std::vector<ModelState>& models) const {
  if (!planned_) return std::nullopt;
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (std::size_t r = 0; r < models[m].rungs.size(); ++r) {
      const RungState& rung = models[m].rungs[r];
      if (!rung.resident && rung.usable && Steady(m, r)) {
        return RungRef{static_cast<int>(m), static_cast<int>(r)};
      }
    }
  }
  return std::nullopt;
}

std::vector<RungRef> MemoryKeeper::ByPlan(const std::optional<RungRef>& rung) {
  if (!rung) return {};
  by_plan_ = true;
  demands_ = mean_demands_;
  choice_ = mean_choice_;
  return {*rung};
}

std::vector<bool> MemoryKeeper::Spared(const std::vector<ModelState>& models, RungRef rung) const {
  std::vector<bool> spared(models.size());
  if (by_plan_ || models[static_cast<std::size_t>(rung.model)].waited_for) return spared;
  for (std::size_t m = 0; m < models.size(); ++m) spared[m] = !models[m].demand.Ceased(now_);
  return spared;
}

MakingRoom MemoryKeeper::RoomFor(const std::vector<ModelState>& models, RungRef rung) const {
  return MakingRoom(demands_, ResidentOf(models), choice_, budget_, rung, Spared(models, rung));
}

MakingRoom::MakingRoom(std::vector<ModelDemand> demands, std::vector<std::vector<bool>> resident,
                       const std::vector<std::vector<bool>>& choice, std::uint64_t budget_bytes,
                       RungRef rung, const std::vector<bool>& spared)
    : demands_(std::move(demands)),
      budget_(budget_bytes),
      rung_(rung),
      resident_(std::move(resident)),
      order_(EvictionOrder(demands_, resident_)) {
  for (std::size_t m = 0; m < spared.size(); ++m) {
    if (spared[m] && static_cast<int>(m) != rung.model) KeepOne(m);
  }
  std::stable_partition(order_.begin(), order_.end(), [&](const RungRef& ref) {
    return !choice[static_cast<std::size_t>(ref.model)][static_cast<std::size_t>(ref.rung)];
  });
}

bool MakingRoom::Possible() const {
  std::vector<std::vector<bool>> left = resident_;
  for (const RungRef& ref : order_) {
    left[static_cast<std::size_t>(ref.model)][static_cast<std::size_t>(ref.rung)] = false;
  }
  return RoomFor(demands_, left, budget_, rung_.model) >= BytesOf(rung_);
}

// The smallest, where all may go: the model answers on, and leaves most room.
void MakingRoom::KeepOne(std::size_t model) {
  std::ptrdiff_t may_go = 0;
  auto smallest = order_.end();
  for (auto at = order_.begin(); at != order_.end(); ++at) {
    if (at->model != static_cast<int>(model)) continue;
    ++may_go;
    if (smallest == order_.end() || BytesOf(*at) < BytesOf(*smallest)) smallest = at;
  }
  if (may_go > 0 && may_go == std::ranges::count(resident_[model], true)) order_.erase(smallest);
}

bool MakingRoom::Fits(std::uint64_t budget_bytes) const {
  return RoomFor(demands_, resident_, budget_bytes, rung_.model) >= BytesOf(rung_);
}

std::uint64_t MakingRoom::BytesOf(const RungRef& ref) const {
  return demands_[static_cast<std::size_t>(ref.model)]
      .rungs[static_cast<std::size_t>(ref.rung)]
      .bytes;
}

MakingRoom::Result MakingRoom::Try(const std::function<bool(RungRef)>& evict) {
  if (!Possible()) return kNone;
  for (auto next = order_.begin(); next != order_.end();) {
    if (Fits(budget_)) return kMade;
    const bool own_limit = !Fits(std::numeric_limits<std::uint64_t>::max());
    if ((own_limit && next->model != rung_.model) || !evict(*next)) {
      ++next;
      continue;
    }
    resident_[static_cast<std::size_t>(next->model)][static_cast<std::size_t>(next->rung)] = false;
    next = order_.erase(next);
  }
  if (Fits(budget_)) return kMade;
  const bool own_limit = !Fits(std::numeric_limits<std::uint64_t>::max());
  const bool any = std::ranges::any_of(
      order_, [&](const RungRef& ref) { return !own_limit || ref.model == rung_.model; });
  return !any || ++tries_ >= kTries ? kNone : kBlocked;
}

}  // namespace hone::planner
