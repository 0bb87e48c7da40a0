#include "compress/ladder/time_plan.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace hone::compress {
namespace {

double RungSeconds(const RungCosts& costs, const TimePlan& plan) {
  return costs.snapshots_s + costs.candidate_s * plan.candidates +
         costs.training_s * plan.epoch_share + costs.other_s;
}

}  // namespace

base::StatusOr<TimePlan> PlanTime(const RungCosts& costs, int rungs, double budget_s) {
  const TimePlan plan = PlanTimeAgain(costs, rungs, budget_s);
  // One per cent is no reason to refuse: the rates are estimates.
  if (budget_s > 0 && plan.total_s > 1.01 * budget_s) {
    return base::OutOfResource(
        "the budget of ", SayDuration(budget_s), " is too short: the least for ", rungs,
        rungs == 1 ? " rung" : " rungs", " is about ", SayDuration(plan.total_s),
        " (fewer targets, a recipe with less, or --oneshot need less)");
  }
  return plan;
}

TimePlan PlanTimeAgain(const RungCosts& costs, int rungs, double budget_s) {
  HONE_CHECK(rungs >= 0);
  TimePlan plan;
  plan.candidates = costs.candidates;
  const auto search_s = [&] { return costs.candidate_s * plan.candidates; };
  const auto rung_s = [&] { return RungSeconds(costs, plan); };
  plan.total_s = rungs * rung_s();
  if (budget_s <= 0 || rungs == 0) return plan;
  const double each = budget_s / rungs;
  if (rung_s() > each && costs.candidate_s > 0) {
    const double fits = (each - (rung_s() - search_s())) / costs.candidate_s;
    plan.candidates = std::clamp(static_cast<int>(std::max(fits, 0.0)),
                                 std::min(kLeastCandidates, costs.candidates), costs.candidates);
  }
  if (rung_s() > each && costs.training_s > 0) {
    const double fits = each - (rung_s() - costs.training_s * plan.epoch_share);
    plan.epoch_share = std::clamp(fits / costs.training_s, kLeastEpochShare, 1.0);
  }
  plan.total_s = rungs * rung_s();
  // The limits give what is left over to the two that can use it.
  const double spare = std::max(each - rung_s(), 0.0);
  plan.search_s = search_s() + 0.1 * spare;
  plan.training_s = costs.training_s * plan.epoch_share + 0.9 * spare;
  return plan;
}

std::string SayDuration(double seconds) {
  const auto whole = static_cast<long>(std::lround(std::max(seconds, 0.0)));
  if (whole < 90) return base::StrCat(whole, " s");
  const long minutes = (whole + 30) / 60;
  if (minutes < 60) return base::StrCat(minutes, " min");
  if (minutes % 60 == 0) return base::StrCat(minutes / 60, " h");
  return base::StrCat(minutes / 60, " h ", minutes % 60, " min");
}

}  // namespace hone::compress
