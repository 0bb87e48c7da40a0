#include "sim/scene.h"

#include <algorithm>

#include "load/random.h"
#include "planner/core_split.h"

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

StatusOr<std::vector<int>> ChooseSplit(const std::vector<planner::TableFile>& files,
                                       const std::vector<Stream>& streams, int cores) {
  // Widths that every rung was measured with.
  std::vector<int> widths = files.front().rungs.front().widths;
  for (const planner::TableFile& file : files) {
    for (const planner::RungTables& rung : file.rungs) {
      std::erase_if(widths, [&](int width) {
        return std::find(rung.widths.begin(), rung.widths.end(), width) == rung.widths.end();
      });
    }
  }
  if (widths.empty() || widths.front() != 1) {
    return base::BadInput("the models were not all measured with one thread: name the split");
  }
  // As the server does: by the most accurate rung.
  std::vector<std::vector<planner::LatencyTable>> tables(streams.size());
  std::vector<planner::CoreDemand> demands;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const Stream& stream = streams[i];
    const planner::TableFile& file = files[static_cast<std::size_t>(stream.model)];
    for (const int width : widths) {
      HONE_ASSIGN_OR_RETURN(planner::LatencyTable table, TableOf(file, file.rungs[0], width));
      tables[i].push_back(std::move(table));
    }
    planner::CoreDemand& demand = demands.emplace_back();
    demand.rate_per_s = std::max(stream.rate_per_s, 1e-3);
    demand.tokens = stream.tokens[stream.tokens.size() / 2];
    demand.deadline_ns = stream.deadline_ns;
    for (const planner::LatencyTable& table : tables[i]) demand.tables.push_back(&table);
  }
  return planner::ChooseSplit(demands, widths, cores).widths;
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
