// What fcfs and round_robin share: batches in the order of arrival.
#pragma once

#include "scheduler/policy.h"

namespace hone::scheduler {

// By moment of arrival; at the same moment, in the order of their numbers.
bool CameBefore(const Item& a, const Item& b);
// Whether the model has something waiting that may run now on one more executor.
bool MayRun(const View& view, int model);
// The first that came of `model` that waits; null where MayRun is false.
const Item* OldestItem(const View& view, int model);
// What waits of `model`, in the order of arrival, on its most accurate resident rung, within the batch's
// limits.
Decision BatchByArrival(const View& view, int executor, int model);

}  // namespace hone::scheduler
