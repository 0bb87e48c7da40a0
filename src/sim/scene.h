// What a simulation runs on and what comes at it, from files and a few numbers.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(scheduler::Setup setup, MakeSetup(tables, {1, 1}));
//   const auto requests = MakeRequests(streams, 60 * base::kSecondNs, seed);
//   HONE_ASSIGN_OR_RETURN(SimResult result, Simulate(setup, "ladder", requests, machine, seed));
#pragma once

#include <cstdint>
#include <vector>

#include "planner/table_file.h"
#include "sim/simulation.h"

namespace hone::sim {

// The models of the files, in their order, on executors of `split` threads each. An error names the model
// and rung that was not measured on executors of such a width.
base::StatusOr<scheduler::Setup> MakeSetup(const std::vector<planner::TableFile>& files,
                                           const std::vector<int>& split);

// What the rungs of these models take of a memory of `budget_bytes`. An error names the model of which the
// files do not tell it.
base::StatusOr<Memory> MakeMemory(const std::vector<planner::TableFile>& files,
                                  std::uint64_t budget_bytes);

// Requests of one kind to one model.
struct Stream {
  int model = 0;
  load::ArrivalSpec arrivals;
  std::vector<load::Arrival> trace = {};  // where arrivals are kTrace
  double rate_per_s = 10;                 // of a trace: 0 as recorded
  base::TimeNs deadline_ns = 0;           // from arrival
  scheduler::Priority priority = scheduler::Priority::kNormal;
  std::vector<int> tokens = {32};  // each as likely; a trace's own where it has them
  int max_tokens = 512;
};

// The splits of so many cores of which all rungs were measured, as the server has them where nobody says one.
base::StatusOr<planner::Layouts> MeasuredLayouts(const std::vector<planner::TableFile>& files,
                                                 int cores);
// The models on the executors of all those splits, of which the first is in force.
base::StatusOr<scheduler::Setup> MakeSetup(const std::vector<planner::TableFile>& files,
                                           const planner::Layouts& layouts);

// Of all streams, ascending by moment, each in [0, duration).
std::vector<SimRequest> MakeRequests(const std::vector<Stream>& streams, base::TimeNs duration,
                                     std::uint64_t seed);

}  // namespace hone::sim
