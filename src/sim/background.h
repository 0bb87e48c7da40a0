// What the server's background thread does, in virtual time: it follows what is asked for, and keeps memory and
// the split of the cores as the planner says.
//
// Loads   One thread of lowest priority. It goes on where an enabled executor is idle; where none is, it has
//         kShareOfBusyCore of a core. Requests for a model of which nothing is in memory wait, or are refused
//         at once where they could not be answered in time.
// Splits  Another one comes into force at a moment when nothing runs and no promise would break by it; with a
//         hold nothing is accepted until then, for a tenth of a second at most.
// Source  server/dispatch.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/status.h"
#include "planner/layouts.h"
#include "planner/memory_keeper.h"
#include "planner/split_keeper.h"
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

// What the machine has, and how it is shared out.
struct Resources {
  Memory memory = {};
  // Where the split follows the load: the setup's executors are its, those of the first split enabled.
  std::optional<planner::Layouts> layouts = {};
};

class Background {
 public:
  struct Counts {
    std::int64_t loads = 0, evictions = 0;
  };

  // Begins as the server does, with what the planner keeps while nobody has asked. CheckMemory was fine.
  Background(const Resources& resources, scheduler::Scheduler* scheduler);

  void Asked(const scheduler::Item& item);  // accepted or not
  // Whether the scheduler may be asked; where not, `item` waits if Wait says so, and else is refused.
  bool Has(int model) const;
  bool Wait(const scheduler::Item& item, base::TimeNs now);
  bool Holds(base::TimeNs now) const;  // nothing is accepted

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
  // The split that is wanted, if it can be had now: before an executor takes anything.
  void SwitchSplit(base::TimeNs now);

  Counts counts(int model) const;
  std::uint64_t most_bytes() const {
    return most_bytes_;
  }  // of rungs in memory; 0 without a budget
  std::int64_t switches() const { return switches_; }

 private:
  struct Load {
    planner::RungRef rung;
    planner::MakingRoom room;
    base::TimeNs next_try = 0;
    bool begun = false;  // room is made
    double left_ns = 0;  // of one thread
    base::TimeNs begun_at = 0;
  };

  bool fixed() const { return budget_ == 0 && !layouts_; }  // everything stays as it is
  double Speed() const;  // of a load, in the state that the executors are in
  void Look(base::TimeNs now);
  void Continue(base::TimeNs now);
  void Finish(base::TimeNs now);
  bool Evict(planner::RungRef rung);
  bool IsWaitedFor(int model) const;
  void GiveUp(int model);
  void CountBytes();
  planner::ModelState& State(int model) { return states_[static_cast<std::size_t>(model)]; }

  const std::uint64_t budget_;
  const std::optional<planner::Layouts> layouts_;
  scheduler::Scheduler& scheduler_;
  planner::MemoryKeeper memory_;
  planner::SplitKeeper split_keeper_;
  std::vector<planner::ModelState> states_;
  std::vector<std::vector<double>> work_ms_;  // of a load, [models][rungs]
  std::vector<std::vector<double>> seen_ms_;  // …, as the last one took
  std::vector<scheduler::Item> waiting_;
  Released released_;
  std::deque<planner::RungRef> to_load_;
  std::optional<Load> load_;
  std::vector<Counts> counts_;
  int split_ = 0, wanted_split_ = 0;
  std::int64_t switches_ = 0;
  std::uint64_t most_bytes_ = 0;
  base::TimeNs now_ = 0, looked_ = 0, next_look_ = 0, since_rates_ = 0, hold_until_ = 0;
};

}  // namespace hone::sim
