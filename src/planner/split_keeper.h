// Follows ChooseSplit in time: when another split of the cores is asked for, and how urgently.
#pragma once

#include <optional>
#include <vector>

#include "planner/layouts.h"
#include "planner/model_state.h"

namespace hone::planner {

class SplitKeeper {
 public:
  struct Wish {
    int split = 0;      // of the layouts
    bool hold = false;  // nothing is to be accepted until it is in force, for kHoldNs at most
  };
  static constexpr base::TimeNs kHoldNs = 100 * base::kMillisecondNs;

  // One a second or so. Nothing: nobody asks, or what would be better has not been so for long enough; what
  // was wished before stands. A wish for the split in force ends an earlier one.
  std::optional<Wish> Look(const std::vector<ModelState>& models, const Layouts& layouts,
                           int in_force);

 private:
  // A hold refuses requests: not again soon where it did not help.
  static constexpr int kLooksBetweenHolds = 10;

  int last_ = -1, looks_ = 0;  // the split that was best, and for how many looks in a row
  int looks_since_hold_ = kLooksBetweenHolds;
};

}  // namespace hone::planner
