// The memory of the simulated machine: which rungs are in it is the planner's choice, as in the server, and a
// load takes the time that requests leave.
//
// A load is one thread of lowest priority. It goes on where an enabled executor is idle; where none is, it has
// kShareOfBusyCore of a core. Requests for a model of which nothing is in memory wait, or are refused at once
// where they could not be answered in time. Source: server/dispatch.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/status.h"
#include "planner/memory_keeper.h"
#include "scheduler/scheduler.h"

namespace hone::sim {

struct Memory {
  struct Rung {
    std::uint64_t bytes = 0;
    double load_ms = 0;  // on all cores; 0: by its size
  };
  struct Model {
    bool pinned = false;
    std::uint64_t reserved_bytes = 0, limit_bytes = 0;  // limit 0: none
    std::vector<Rung> rungs = {};
  };
  std::uint64_t budget_bytes = 0;  // 0: no limit, and what the setup says is resident stays so
  std::vector<Model> models = {};  // as the setup's
};

// An error where the models are not the setup's, or what is pinned or reserved is over the budget.
base::Status CheckMemory(const Memory& memory, const scheduler::Setup& setup);

class RungMemory {
 public:
  struct Counts {
    std::int64_t loads = 0, evictions = 0;
  };

  // Begins as the server does, with what the planner keeps while nobody has asked.
  RungMemory(const Memory& memory, scheduler::Scheduler* scheduler);

  void Asked(const scheduler::Item& item);  // accepted or not
  // Whether the scheduler may be asked; where not, `item` waits if Wait says so, and else is refused.
  bool Has(int model) const;
  bool Wait(const scheduler::Item& item, base::TimeNs now);

  // The next moment at which Advance has something to do.
  base::TimeNs NextEvent() const;
  bool waiting() const { return !waiting_.empty(); }
  // To `now`, in the state that the executors were in until then.
  void Advance(base::TimeNs now);
  // Those that waited and now do not: `ready` may be submitted, `lost` are refused.
  struct Released {
    std::vector<scheduler::Item> ready, lost;
  };
  Released Release(base::TimeNs now);

  Counts counts(int model) const;
  std::uint64_t bytes() const;

 private:
  struct Load {
    planner::RungRef rung;
    planner::MakingRoom room;
    base::TimeNs next_try = 0;
    bool begun = false;  // room is made
    double left_ns = 0;  // of one thread
    base::TimeNs begun_at = 0;
  };

  double Speed() const;  // of a load, in the state that the executors are in
  void Look(base::TimeNs now);
  void Continue(base::TimeNs now);
  void Finish(base::TimeNs now);
  bool Evict(planner::RungRef rung);
  void GiveUp(int model);
  planner::ModelState& State(int model) { return states_[static_cast<std::size_t>(model)]; }

  const std::uint64_t budget_;
  scheduler::Scheduler& scheduler_;
  planner::MemoryKeeper keeper_;
  std::vector<planner::ModelState> states_;
  std::vector<std::vector<double>> work_ms_;  // of a load, [models][rungs]
  std::vector<std::vector<double>> seen_ms_;  // …, as the last one took
  std::vector<scheduler::Item> waiting_;
  Released released_;
  std::deque<planner::RungRef> to_load_;
  std::optional<Load> load_;
  std::vector<Counts> counts_;
  base::TimeNs now_ = 0, looked_ = 0, next_look_ = 0, since_rates_ = 0;
};

}  // namespace hone::sim
