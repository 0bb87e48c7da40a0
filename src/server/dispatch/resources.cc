#include "server/dispatch/resources.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "base/strings.h"

namespace hone::server {
namespace {

// A choice must hold for that many looks in a row before it is followed: one second's burst is not a
// change of load. But where more is asked for than the cores can do, every second of waiting is
// refusals: a split that breaks no promise is then taken at once.
constexpr int kSteadyLooks = 3;
constexpr int kTypicalTokens = 32;

int Rounded(double value, int fallback) {
  return value < 0.5 ? fallback : static_cast<int>(std::lround(value));
}

}  // namespace

ResourceKeeper::ResourceKeeper(env::FileSystem& files, const ServiceOptions& options,
                               Dispatcher& dispatcher)
    : files_(files),
      options_(options),
      dispatcher_(dispatcher),
      pool_(std::make_shared<base::ThreadPool>(1)) {}

void ResourceKeeper::Look(double seconds) {
  Snapshot snapshot = Take(seconds);
  if (options_.memory_bytes > 0) PlanMemory(snapshot);
  if (options_.split.empty()) PlanCores(snapshot);
}

ResourceKeeper::Snapshot ResourceKeeper::Take(double seconds) {
  Snapshot snapshot;
  dispatcher_.VisitModels([&](int number, ServedModel& model, const scheduler::Model& scheduled) {
    if (model.closed) return;
    // Looks that a wanted model brings early do not count as a second.
    constexpr double kWhole = 0.5;
    if (seconds >= kWhole) model.demand.Look(seconds);
    const Demand& demand = model.demand;
    const int texts = Rounded(demand.texts_mean, 1);
    const int tokens = std::max(Rounded(demand.tokens_mean, kTypicalTokens * texts), texts);
    Model& to = snapshot.models.emplace_back();
    to.number = number;
    to.wanted = model.wanted;
    to.endpoint = model.endpoint;
    planner::ModelDemand& memory = snapshot.demands.emplace_back();
    memory.rate_per_s = demand.rate_per_s;
    // Whoever asks now counts, however long nobody has asked.
    if (model.wanted) memory.rate_per_s = std::max(memory.rate_per_s, 1.0);
    std::size_t used = 0;
    bool found = false;
    for (std::size_t r = 0; r < model.rungs.size(); ++r) {
      const ServedRung& rung = model.rungs[r];
      to.rungs.push_back({.files = rung.files,
                          .bytes = rung.info.bytes,
                          .resident = rung.resident(),
                          .failed = rung.info.state == RungState::kFailed});
      memory.rungs.push_back(
          {.bytes = rung.info.bytes,
           .accuracy = rung.info.accuracy,
           .request_ns = scheduled.rungs[r].tables.back().Predict(texts, tokens),
           .pinned = model.options.pinned && rung.info.state != RungState::kFailed});
      if (rung.resident() && !found) {
        used = r;
        found = true;
      }
    }
    snapshot.tables.push_back(scheduled.rungs[used].tables);
    snapshot.cores.push_back({.rate_per_s = demand.rate_per_s,
                              .texts = texts,
                              .tokens = tokens,
                              .deadline_ns = demand.TightestTenth(),
                              .tables = {}});
  });
  for (std::size_t m = 0; m < snapshot.models.size(); ++m) {
    for (const planner::LatencyTable& table : snapshot.tables[m]) {
      snapshot.cores[m].tables.push_back(&table);
    }
  }
  return snapshot;
}

void ResourceKeeper::PlanCores(const Snapshot& snapshot) {
  const bool idle = std::ranges::none_of(
      snapshot.cores, [](const planner::CoreDemand& demand) { return demand.rate_per_s > 1; });
  if (idle) return;
  const Layouts& layouts = dispatcher_.layouts();
  const int cores = *std::ranges::max_element(layouts.threads);
  const planner::CoreSplit choice = planner::ChooseSplit(snapshot.cores, layouts.widths, cores);
  // Narrow executors answer more requests, wide ones each request sooner: a machine with time to spare
  // gives every request all of its cores. Between the two bounds it stays as it is.
  constexpr double kBusy = 0.5, kQuiet = 0.3;
  int split = layouts.Find(choice.widths);
  if (choice.utilisation < kQuiet) split = 0;
  if (split < 0 || (split != 0 && choice.utilisation < kBusy)) split = dispatcher_.split();
  split_looks_ = split == last_split_ ? split_looks_ + 1 : 1;
  last_split_ = split;
  // A hold refuses requests: not again soon where it did not help.
  constexpr int kLooksBetweenHolds = 10;
  looks_since_hold_ = std::min(looks_since_hold_ + 1, kLooksBetweenHolds);
  const bool overload = choice.utilisation > 1;
  const bool steady = split_looks_ >= kSteadyLooks;
  const bool change = split != dispatcher_.split();
  // Splits are listed from the widest executors on: only narrower ones can do more.
  const bool at_once = overload && split > dispatcher_.split();
  if (change && !steady && !at_once) return;
  const bool hold = change && overload && steady && looks_since_hold_ >= kLooksBetweenHolds;
  if (hold) looks_since_hold_ = 0;
  // Without a change: nothing else is wanted any more.
  dispatcher_.WantSplit(split, hold);
}

void ResourceKeeper::PlanMemory(Snapshot& snapshot) {
  const planner::Residency choice =
      planner::ChooseResident(snapshot.demands, options_.memory_bytes);
  bool loaded = false;
  for (std::size_t m = 0; m < snapshot.models.size(); ++m) {
    const Model& model = snapshot.models[m];
    if (!model.wanted) continue;
    // The rung that the planner would keep; where it would keep none, the smallest.
    std::size_t best = model.rungs.size();
    for (std::size_t r = 0; r < model.rungs.size(); ++r) {
      if (model.rungs[r].failed) continue;
      if (choice.resident[m][r]) {
        best = r;
        break;
      }
      if (best == model.rungs.size() || model.rungs[r].bytes < model.rungs[best].bytes) best = r;
    }
    if (best == model.rungs.size()) {
      dispatcher_.GiveUp(model.number, "none of its rungs could be loaded");
      continue;
    }
    Load(snapshot, m, best);
    loaded = true;
  }
  if (loaded) return;
  // What would serve better than what is there, where it was so at the last look too.
  const bool steady = choice.resident == last_choice_;
  last_choice_ = choice.resident;
  if (!steady) return;
  for (std::size_t m = 0; m < snapshot.models.size(); ++m) {
    for (std::size_t r = 0; r < snapshot.models[m].rungs.size(); ++r) {
      const Rung& rung = snapshot.models[m].rungs[r];
      if (choice.resident[m][r] && !rung.resident && !rung.failed) return Load(snapshot, m, r);
    }
  }
}

// The least useful go first. A rung that accepted queries were promised stays until they are answered.
bool ResourceKeeper::MakeRoom(Snapshot& snapshot, std::uint64_t bytes) {
  if (bytes > options_.memory_bytes) return false;
  constexpr int kTries = 200;
  constexpr auto kPause = std::chrono::milliseconds(5);
  std::vector<std::vector<bool>> resident;
  std::uint64_t there = 0;
  for (const Model& model : snapshot.models) {
    std::vector<bool>& flags = resident.emplace_back();
    for (const Rung& rung : model.rungs) {
      flags.push_back(rung.resident);
      there += rung.resident ? rung.bytes : 0;
    }
  }
  const auto order = planner::EvictionOrder(snapshot.demands, resident);
  for (int i = 0; i < kTries && there + bytes > options_.memory_bytes; ++i) {
    if (i > 0) std::this_thread::sleep_for(kPause);
    for (const planner::RungRef& ref : order) {
      if (there + bytes <= options_.memory_bytes) break;
      const Model& model = snapshot.models[static_cast<std::size_t>(ref.model)];
      Rung& rung = snapshot.models[static_cast<std::size_t>(ref.model)]
                       .rungs[static_cast<std::size_t>(ref.rung)];
      if (!rung.resident || !dispatcher_.Evict(model.number, ref.rung)) continue;
      rung.resident = false;
      there -= rung.bytes;
    }
  }
  return there + bytes <= options_.memory_bytes;
}

void ResourceKeeper::Load(Snapshot& snapshot, std::size_t m, std::size_t r) {
  const Model& model = snapshot.models[m];
  Rung& rung = snapshot.models[m].rungs[r];
  if (!MakeRoom(snapshot, rung.bytes)) {
    dispatcher_.GiveUp(model.number, base::StrCat("the rung \"", rung.files.name, "\" of \"",
                                                  model.endpoint->name, "\" needs ", rung.bytes,
                                                  " bytes of memory; other models hold them"));
    return;
  }
  const int number = model.number, index = static_cast<int>(r);
  dispatcher_.RungLoading(number, index);
  const base::StatusOr<LoadedRung> loaded =
      LoadRung(files_, *model.endpoint, rung.files, options_.isa, pool_);
  if (loaded.ok()) {
    rung.resident = true;
    dispatcher_.RungLoaded(number, index, *loaded);
  } else {
    dispatcher_.RungFailed(number, index, std::string(loaded.status().message()));
  }
}

}  // namespace hone::server
