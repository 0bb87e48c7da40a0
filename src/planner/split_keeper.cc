#include "planner/split_keeper.h"

#include <algorithm>

namespace hone::planner {

std::optional<SplitKeeper::Wish> SplitKeeper::Look(const std::vector<ModelState>& models,
                                                   const Layouts& layouts, int in_force) {
  const std::vector<CoreDemand> demands = CoreDemands(models);
  const bool idle =
      std::ranges::none_of(demands, [](const CoreDemand& demand) { return demand.rate_per_s > 1; });
  if (idle) return std::nullopt;
  const int cores = *std::ranges::max_element(layouts.threads);
  const CoreSplit choice = ChooseSplit(demands, layouts.widths, cores);
  // Narrow executors answer more requests, wide ones each request sooner: a machine with time to spare
  // gives every request all of its cores. Between the two bounds it stays as it is.
  constexpr double kBusy = 0.5, kQuiet = 0.3;
  int split = layouts.Find(choice.widths);
  if (choice.utilisation < kQuiet) split = 0;
  if (split < 0 || (split != 0 && choice.utilisation < kBusy)) split = in_force;
  looks_ = split == last_ ? looks_ + 1 : 1;
  last_ = split;
  looks_since_hold_ = std::min(looks_since_hold_ + 1, kLooksBetweenHolds);
  // A choice must hold for that many looks in a row before it is followed: one second's burst is not a
  // change of load. But where more is asked for than the cores can do, every second of waiting is
  // refusals: a split that breaks no promise is then taken at once.
  constexpr int kSteadyLooks = 3;
  const bool overload = choice.utilisation > 1;
  const bool steady = looks_ >= kSteadyLooks;
  const bool change = split != in_force;
  // Splits are listed from the widest executors on: only narrower ones can do more.
  const bool at_once = overload && split > in_force;
  if (change && !steady && !at_once) return std::nullopt;
  const bool hold = change && overload && steady && looks_since_hold_ >= kLooksBetweenHolds;
  if (hold) looks_since_hold_ = 0;
  return Wish{.split = split, .hold = hold};
}

}  // namespace hone::planner
