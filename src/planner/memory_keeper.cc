#include "planner/memory_keeper.h"

#include <algorithm>
#include <limits>

namespace hone::planner {
namespace {

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
  const auto has = [&](const std::vector<std::vector<bool>>& choice) {
    // Models come and go: another number of them says nothing of these.
    return choice.size() == choice_.size() && rung < choice[model].size() && choice[model][rung];
  };
  return has(choice_) && has(whole_) && has(whole_before_);
}

std::vector<RungRef> MemoryKeeper::Look(const std::vector<ModelState>& models, bool whole) {
  const std::vector<ModelDemand> demands = MemoryDemands(models);
  choice_ = ChooseResident(demands, budget_).resident;
  if (whole) {
    whole_before_ = std::move(whole_);
    whole_ = choice_;
  }
  std::vector<RungRef> loads;
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (models[m].wanted) loads.push_back({static_cast<int>(m), FirstRung(models[m], choice_[m])});
  }
  if (!loads.empty() || !WorthIt(demands, ResidentOf(models), choice_)) return loads;
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (std::size_t r = 0; r < models[m].rungs.size(); ++r) {
      const RungState& rung = models[m].rungs[r];
      if (!rung.resident && rung.usable && Steady(m, r)) {
        return {{static_cast<int>(m), static_cast<int>(r)}};
      }
    }
  }
  return {};
}

MakingRoom::MakingRoom(const std::vector<ModelState>& models,
                       const std::vector<std::vector<bool>>& choice, std::uint64_t budget_bytes,
                       RungRef rung)
    : demands_(MemoryDemands(models)),
      budget_(budget_bytes),
      rung_(rung),
      resident_(ResidentOf(models)),
      order_(EvictionOrder(demands_, resident_)) {
  std::ranges::stable_partition(order_, [&](const RungRef& ref) {
    return !choice[static_cast<std::size_t>(ref.model)][static_cast<std::size_t>(ref.rung)];
  });
}

bool MakingRoom::Fits(std::uint64_t budget_bytes) const {
  const std::uint64_t bytes = demands_[static_cast<std::size_t>(rung_.model)]
                                  .rungs[static_cast<std::size_t>(rung_.rung)]
                                  .bytes;
  return RoomFor(demands_, resident_, budget_bytes, rung_.model) >= bytes;
}

MakingRoom::Result MakingRoom::Try(const std::function<bool(RungRef)>& evict) {
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
