// What every policy asks before it accepts, and the promise that edf and ladder make.
#pragma once

#include "scheduler/plan_ahead.h"
#include "scheduler/policy.h"

namespace hone::scheduler {

// Room in the queue, a rung in memory, and the model's reservation and limit. Accepted where none of them
// refuses.
Admission CheckRoom(const View& view, const Item& item);

// CheckRoom, and the plan: the item ends within the share of its time that its class may use, nobody who
// would be in time without it is late with it, and its tenant has not had more than its share.
Admission AdmitByPlan(const View& view, const Item& item, PlanRung choice);

// Accepted items that the plan would end too late. They all had their whole margin when they were accepted: half of the
// drift counts.
int BrokenByPlan(const View& view, PlanRung choice);

// What the item costs, in executor time times threads, on the first executor in force.
TimeNs WorkOf(const Setup& setup, const Item& item);
// The same as part of a full batch of its like: what it takes from a machine that has more than enough to do.
TimeNs BatchedWorkOf(const Setup& setup, const Item& item);

}  // namespace hone::scheduler
