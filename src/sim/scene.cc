#include "sim/scene.h"

#include <algorithm>

#include "load/random.h"

namespace hone::sim {
namespace {

using base::StatusOr;

// The rung's table for executors of that width.
StatusOr<planner::LatencyTable> TableOf(const planner::TableFile& file,
                                        const planner::RungTables& rung, int width) {
  const auto found = std::find(rung.widths.begin(), rung.widths.end(), width);
  if (found == rung.widths.end()) {
    return base::NotFound("model \"", file.model, "\", rung \"", rung.name,
                          "\": was not measured with ", width, " threads; there are ",
                          base::Join(rung.widths, ", "));
  }
  return planner::LatencyTable::FromGrid(
      rung.tables[static_cast<std::size_t>(found - rung.widths.begin())]);
}

}  // namespace

StatusOr<scheduler::Setup> MakeSetup(const std::vector<planner::TableFile>& files,
                                     const std::vector<int>& split) {
  scheduler::Setup setup;
  setup.widths = split;
  std::sort(setup.widths.begin(), setup.widths.end());
  setup.widths.erase(std::unique(setup.widths.begin(), setup.widths.end()), setup.widths.end());
  for (const int width : split) {
    const auto at = std::find(setup.widths.begin(), setup.widths.end(), width);
    setup.executors.push_back({.width = static_cast<int>(at - setup.widths.begin())});
  }
  for (const planner::TableFile& file : files) {
    scheduler::Model model{.name = file.model, .rungs = {}};
    for (const planner::RungTables& rung : file.rungs) {
      scheduler::Rung& made = model.rungs.emplace_back();
      made.name = rung.name;
      made.accuracy = rung.accuracy;
      for (const int width : setup.widths) {
        HONE_ASSIGN_OR_RETURN(planner::LatencyTable table, TableOf(file, rung, width));
        made.tables.push_back(std::move(table));
      }
    }
    setup.models.push_back(std::move(model));
  }
  return setup;
}

StatusOr<Memory> MakeMemory(const std::vector<planner::TableFile>& files,
                            std::uint64_t budget_bytes) {
  Memory memory{.budget_bytes = budget_bytes};
  for (const planner::TableFile& file : files) {
    Memory::Model& model = memory.models.emplace_back();
    for (const planner::RungTables& rung : file.rungs) {
      if (rung.bytes == 0) {
        return base::BadInput("model \"", file.model, "\", rung \"", rung.name,
                              "\": \"bytes\" is missing: how much memory it takes is not known");
      }
      model.rungs.push_back({.bytes = rung.bytes, .load_ms = rung.load_ms});
    }
  }
  return memory;
}

StatusOr<planner::Layouts> MeasuredLayouts(const std::vector<planner::TableFile>& files,
                                           int cores) {
  HONE_ASSIGN_OR_RETURN(const planner::Layouts all, planner::MakeLayouts(cores, {}));
  const auto measured = [&](int width) {
    return std::ranges::all_of(files, [&](const planner::TableFile& file) {
      return std::ranges::all_of(file.rungs, [&](const planner::RungTables& rung) {
        return std::ranges::find(rung.widths, width) != rung.widths.end();
      });
    });
  };
  std::vector<std::vector<int>> splits;
  for (int split = 0; split < static_cast<int>(all.splits.size()); ++split) {
    std::vector<int> widths = all.WidthsOf(split);
    if (std::ranges::all_of(widths, measured)) splits.push_back(std::move(widths));
  }
  if (splits.empty()) {
    return base::BadInput("the models were not all measured with one thread: name the split");
  }
  return planner::LayoutsOf(splits);
}

StatusOr<scheduler::Setup> MakeSetup(const std::vector<planner::TableFile>& files,
                                     const planner::Layouts& layouts) {
  HONE_ASSIGN_OR_RETURN(scheduler::Setup setup, MakeSetup(files, layouts.threads));
  for (scheduler::Executor& executor : setup.executors) executor.enabled = false;
  for (const int e : layouts.splits.front()) {
    setup.executors[static_cast<std::size_t>(e)].enabled = true;
  }
  return setup;
}

std::vector<SimRequest> MakeRequests(const std::vector<Stream>& streams, base::TimeNs duration,
                                     std::uint64_t seed) {
  load::Random random(seed);
  std::vector<SimRequest> requests;
  for (const Stream& stream : streams) {
    for (const load::Arrival& arrival : load::MakeArrivals(stream.arrivals, stream.rate_per_s,
                                                           duration, random.Next(), stream.trace)) {
      const int drawn = stream.tokens[random.Below(stream.tokens.size())];
      const int tokens = arrival.tokens > 0 ? arrival.tokens : drawn;
      requests.push_back({.at = arrival.at,
                          .model = stream.model,
                          .priority = stream.priority,
                          .deadline = arrival.at + stream.deadline_ns,
                          .tokens = std::min(tokens, stream.max_tokens)});
    }
  }
  std::stable_sort(requests.begin(), requests.end(),
                   [](const SimRequest& a, const SimRequest& b) { return a.at < b.at; });
  return requests;
}

}  // namespace hone::sim
