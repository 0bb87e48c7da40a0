// What an idle executor does under edf and ladder: a step from which the plan still holds.
#pragma once

#include "scheduler/plan_ahead.h"
#include "scheduler/policy.h"

namespace hone::scheduler {

// The item with the earliest deadline, as large a batch as holds; kMostAccurate: always on that rung;
// kFastest: on the most accurate rung with which all promises hold, with room left for those to come.
Decision StepByPlan(const View& view, int executor, PlanRung choice);

}  // namespace hone::scheduler
