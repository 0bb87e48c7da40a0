#include "server/dispatch/resources.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
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
  // A shorter time than that says nothing of a rate, and steadiness is counted in such looks.
  constexpr double kWhole = 0.5;
  since_s_ += seconds;
  const bool whole = since_s_ >= kWhole;
  if (whole) {
    dispatcher_.VisitModels(
        [&](int, ServedModel& model, const scheduler::Model&) { model.demand.Look(since_s_); });
    since_s_ = 0;
  }
  Snapshot snapshot = Take();
  if (options_.memory_bytes > 0) PlanMemory(snapshot, whole);
  if (whole && options_.split.empty()) PlanCores(snapshot);
}

ResourceKeeper::Snapshot ResourceKeeper::Take() {
  Snapshot snapshot;
  dispatcher_.VisitModels([&](int number, ServedModel& model, const scheduler::Model& scheduled) {
    if (model.closed) return;
    const Demand& demand = model.demand;
    const int texts = Rounded(demand.texts_mean, 1);
    const int tokens = std::max(Rounded(demand.tokens_mean, kTypicalTokens * texts), texts);
    Model& to = snapshot.models.emplace_back();
    to.number = number;
    to.wanted = model.wanted;
    to.endpoint = model.endpoint;
    planner::ModelDemand& memory = snapshot.demands.emplace_back();
    memory.reserved_bytes = model.options.reserved_bytes;
    memory.limit_bytes = model.options.limit_bytes;
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
      memory.rungs.push_back({.bytes = rung.info.bytes,
                              .accuracy = rung.info.accuracy,
                              .request_ns = scheduled.rungs[r].tables.back().Predict(texts, tokens),
                              .pinned = model.options.pinned,
                              .usable = rung.info.state != RungState::kFailed});
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

void ResourceKeeper::PlanMemory(Snapshot& snapshot, bool whole) {
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
  if (loaded || !whole) return;
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

// The least useful go first; where the model's own limit stands in the way, only its own rungs help. A rung
// that accepted queries were promised stays until they are answered.
bool ResourceKeeper::MakeRoom(Snapshot& snapshot, std::size_t model, std::uint64_t bytes) {
  constexpr int kTries = 200;
  constexpr auto kPause = std::chrono::milliseconds(5);
  std::vector<std::vector<bool>> resident;
  for (const Model& at : snapshot.models) {
    std::vector<bool>& flags = resident.emplace_back();
    for (const Rung& rung : at.rungs) flags.push_back(rung.resident);
  }
  const auto fits = [&](std::uint64_t budget) {
    return planner::RoomFor(snapshot.demands, resident, budget, static_cast<int>(model)) >= bytes;
  };
  const auto order = planner::EvictionOrder(snapshot.demands, resident);
  for (int i = 0; i < kTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kPause);
    for (const planner::RungRef& ref : order) {
      if (fits(options_.memory_bytes)) return true;
      const auto m = static_cast<std::size_t>(ref.model), r = static_cast<std::size_t>(ref.rung);
      const bool own_limit = !fits(std::numeric_limits<std::uint64_t>::max());
      if (own_limit && m != model) continue;
      Rung& rung = snapshot.models[m].rungs[r];
      if (!rung.resident || !dispatcher_.Evict(snapshot.models[m].number, ref.rung)) continue;
      rung.resident = resident[m][r] = false;
    }
    if (fits(options_.memory_bytes)) return true;
    const bool any = std::ranges::any_of(order, [&](const planner::RungRef& ref) {
      return resident[static_cast<std::size_t>(ref.model)][static_cast<std::size_t>(ref.rung)];
    });
    if (!any) return false;
  }
  return false;
}

void ResourceKeeper::Load(Snapshot& snapshot, std::size_t m, std::size_t r) {
  const Model& model = snapshot.models[m];
  Rung& rung = snapshot.models[m].rungs[r];
  if (!MakeRoom(snapshot, m, rung.bytes)) {
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
    dispatcher_.RungFailed(number, index, loaded.status().message());
  }
}

}  // namespace hone::server
