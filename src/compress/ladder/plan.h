// How long a compression will take on this machine, and whether it has the room.
#pragma once

#include <cstddef>
#include <span>

#include "base/status.h"
#include "compress/ladder/job.h"

namespace hone::compress {

// Rungs that --max-drop may try beyond those asked for, each a whole run of the recipe.
inline constexpr std::size_t kDropTries = 4;

// The dense model's outputs on the search's texts, and from the time they took the plan for the rungs
// that are not made yet. Errors: a budget that is too short, memory or disk that will not do.
base::Status MakePlan(CompressJob& job, std::size_t rungs);

// Before each rung, with the time and the rungs that are left: what came before took longer or less.
void PlanAgain(CompressJob& job, std::size_t rungs);

// Seconds of the budget that neither this run nor an earlier one has spent; 0 where there is no budget.
double BudgetLeft(const CompressJob& job);

// How many times as fast as the dense model in f32, of `dense_ms`, one in the fastest format is; at
// least 1. The table need not have f32.
double FormatGain(const DeviceProfile& profile, const std::vector<model::LayerShape>& layers,
                  std::span<const quant::Format> formats, double dense_ms);

}  // namespace hone::compress
