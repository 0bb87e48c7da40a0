#include "server/dispatch/resources.h"

#include <chrono>
#include <optional>
#include <thread>

#include "base/strings.h"
#include "env/clock.h"

namespace hone::server {

using planner::MakingRoom;
using planner::RungRef;

namespace {

std::string Needs(std::uint64_t bytes) {
  return base::StrCat("needs ", base::WithCommas(bytes), " bytes of memory; ");
}

}  // namespace

std::optional<std::string> WhyNever(std::uint64_t bytes, std::uint64_t budget,
                                    std::uint64_t limit) {
  if (!planner::NeverFits(bytes, budget, limit)) return std::nullopt;
  return bytes > budget
             ? base::StrCat(Needs(bytes), "the budget has ", base::WithCommas(budget))
             : base::StrCat(Needs(bytes), "limit_memory allows ", base::WithCommas(limit));
}

ResourceKeeper::ResourceKeeper(env::FileSystem& files, const ServiceOptions& options,
                               Dispatcher& dispatcher)
    : files_(files),
      options_(options),
      dispatcher_(dispatcher),
      pool_(std::make_shared<base::ThreadPool>(1)),
      memory_(options.memory_bytes) {}

void ResourceKeeper::Look(double seconds) {
  since_s_ += seconds;
  const bool whole = since_s_ >= planner::kWholeLookS;
  if (whole) {
    dispatcher_.VisitModels(
        [&](int, ServedModel& model, const scheduler::Model&) { model.demand.Look(since_s_); });
    since_s_ = 0;
  }
  if (options_.memory_bytes > 0) FollowMemory(whole);
  if (!whole || !options_.split.empty()) return;
  const std::optional<planner::SplitKeeper::Wish> wish =
      split_.Look(Take().states, dispatcher_.layouts(), dispatcher_.split());
  if (wish) dispatcher_.WantSplit(wish->split, wish->hold);
}

// Until there is nothing to load; somebody may wait by the time that a rung is there.
void ResourceKeeper::FollowMemory(bool whole) {
  for (bool loaded = true; loaded; whole = false) {
    Snapshot snapshot = Take();
    loaded = false;
    for (const RungRef& rung : memory_.Look(snapshot.states, whole, env::NowNs())) {
      loaded = Load(snapshot, rung) || loaded;
    }
  }
}

ResourceKeeper::Snapshot ResourceKeeper::Take() {
  Snapshot snapshot;
  const base::TimeNs now = env::NowNs();
  dispatcher_.VisitModels([&](int number, ServedModel& model, const scheduler::Model& scheduled) {
    if (model.closed) return;
    Snapshot::Model& to = snapshot.models.emplace_back();
    to.number = number;
    to.endpoint = model.endpoint;
    planner::ModelState& state = snapshot.states.emplace_back();
    state.demand = model.demand;
    state.wanted = model.wanted;
    state.waited_for = !model.waiting.empty();
    state.pinned = model.options.pinned;
    state.reserved_bytes = model.options.reserved_bytes;
    state.limit_bytes = model.options.limit_bytes;
    for (std::size_t r = 0; r < model.rungs.size(); ++r) {
      const ServedRung& rung = model.rungs[r];
      to.rungs.push_back(rung.files);
      state.rungs.push_back({.bytes = rung.info.bytes,
                             .accuracy = rung.info.accuracy,
                             .resident = rung.resident(),
                             .usable = rung.MayBeLoaded(now),
                             .tables = scheduled.rungs[r].tables});
    }
  });
  return snapshot;
}

bool ResourceKeeper::MakeRoom(Snapshot& snapshot, RungRef rung) {
  constexpr std::chrono::nanoseconds kPause(MakingRoom::kPauseNs);
  MakingRoom room = memory_.RoomFor(snapshot.states, rung);
  const auto evict = [&](RungRef ref) {
    const auto m = static_cast<std::size_t>(ref.model);
    if (!dispatcher_.Evict(snapshot.models[m].number, ref.rung)) return false;
    snapshot.states[m].rungs[static_cast<std::size_t>(ref.rung)].resident = false;
    return true;
  };
  while (true) {
    const MakingRoom::Result result = room.Try(evict);
    if (result != MakingRoom::kBlocked) return result == MakingRoom::kMade;
    std::this_thread::sleep_for(kPause);
  }
}

bool ResourceKeeper::Load(Snapshot& snapshot, RungRef ref) {
  const Snapshot::Model& model = snapshot.models[static_cast<std::size_t>(ref.model)];
  const planner::ModelState& asked = snapshot.states[static_cast<std::size_t>(ref.model)];
  if (ref.rung < 0) {
    return !dispatcher_.GiveUp(model.number, "none of its rungs could be loaded", asked.waited_for);
  }
  const RungFiles& files = model.rungs[static_cast<std::size_t>(ref.rung)];
  planner::RungState& state = snapshot.states[static_cast<std::size_t>(ref.model)]
                                  .rungs[static_cast<std::size_t>(ref.rung)];
  if (!MakeRoom(snapshot, ref)) {
    const std::optional<std::string> never =
        WhyNever(state.bytes, options_.memory_bytes, asked.limit_bytes);
    return !dispatcher_.GiveUp(
        model.number,
        base::StrCat("the rung \"", files.name, "\" of \"", model.endpoint->name, "\" ",
                     never ? *never : Needs(state.bytes) + "other models hold them"),
        asked.waited_for);
  }
  dispatcher_.RungLoading(model.number, ref.rung);
  const base::StatusOr<LoadedRung> loaded =
      LoadRung(files_, *model.endpoint, files, options_.isa, pool_);
  if (loaded.ok()) {
    state.resident = true;
    dispatcher_.RungLoaded(model.number, ref.rung, *loaded);
  } else {
    dispatcher_.RungFailed(model.number, ref.rung, loaded.status().message());
  }
  return true;  // where it failed another may do: the next look tries no failed one
}

}  // namespace hone::server
