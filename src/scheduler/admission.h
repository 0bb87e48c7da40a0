// What every policy asks before it accepts, and the promise that edf and ladder make.
#pragma once

#include "scheduler/plan_ahead.h"
#include "scheduler/policy.h"

namespace hone::scheduler {

// Room in the queue, a rung in memory, and the model's reservation and limit. Accepted where none of them
// refuses. `parts` as Policy::Admit has them, at least one.
Admission CheckRoom(const View& view, std::span<const Item> parts);

// CheckRoom, and one plan for all parts: they end within the share of their time that their class may use, nobody
// who would be in time without them is late with them, and their tenant has not had more than its share.
Admission AdmitByPlan(const View& view, std::span<const Item> parts, PlanRung choice);

// Accepted items that the plan would end too late. They all had their whole margin when they were accepted: half of the
// drift counts.
int BrokenByPlan(const View& view, PlanRung choice);

// What the item costs, in executor time times threads, on the first executor in force.
TimeNs WorkOf(const Setup& setup, const Item& item);
// The same as part of a full batch of its like: what it takes from a machine that has more than enough to do.
TimeNs BatchedWorkOf(const Setup& setup, const Item& item);

}  // namespace hone::scheduler
