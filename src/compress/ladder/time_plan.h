// How long a compression will take, and what is cut where a budget is too short for all of it.
//
// Plain arithmetic over a few measured rates, made again before each rung with the time that is left.
// First the candidates of the search are cut (to kLeastCandidates), since most of what a search finds
// it finds early; then the epochs of training, evenly over the rungs that are left, down to
// kLeastEpochShare. What still does not fit is said before anything runs.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace hone::compress {

inline constexpr int kLeastCandidates = 40;
inline constexpr double kLeastEpochShare = 0.05;

// Of one rung, in seconds, at the recipe's own epochs and candidates.
struct RungCosts {
  double snapshots_s = 0;
  double candidate_s = 0;  // of one
  int candidates = 0;
  double training_s = 0;
  double other_s = 0;  // quantising, timing, evaluating
};

struct TimePlan {
  int candidates = 0;      // a rung
  double epoch_share = 1;  // of the recipe's epochs
  double search_s = 0;     // limit of the search of a rung; 0: none
  double training_s = 0;   // limit of the training of a rung; 0: none
  double total_s = 0;      // of all rungs that are left
};

// `budget_s` is what is left of the budget for `rungs` rungs; 0: none. OutOfResource where even the
// least does not fit; the message says what would.
base::StatusOr<TimePlan> PlanTime(const RungCosts& costs, int rungs, double budget_s);

// The same behind the first rung, where nothing is refused any more: the least, if that is what it takes.
TimePlan PlanTimeAgain(const RungCosts& costs, int rungs, double budget_s);

// "1 h 20 min", "4 min", "35 s"
std::string SayDuration(double seconds);

}  // namespace hone::compress
