// The scheduler: queue, executors and policy as one deterministic state machine. The server drives it
// with the real clock and threads, the simulation with made-up time; neither decides anything.
//
// Usage
//   Scheduler scheduler(setup, *MakePolicy("ladder"));
//   if (!scheduler.Submit(item, now).accepted()) …            // refuse, with retry_after
//   for (const Item& late : scheduler.TakeExpired(now)) …      // promises that were broken: 504
//   if (auto run = scheduler.Next(executor, now)) …            // the executor is busy until Finished
//   scheduler.Finished(executor, now);                         // the table and the reserve learn
//
// After every Submit and every Finished, each idle executor asks Next, in the order of their numbers
// where they are of different widths: a plan may have kept work for the other one.
//
// Thread-safety  none: the caller holds a lock.  Limits  Setup::max_queued.
// Time           never goes back between calls.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "scheduler/policy.h"
#include "scheduler/types.h"

namespace hone::scheduler {

struct Dispatch {
  int model = -1, rung = -1;
  std::vector<Item> items;
  TimeNs expected_ns = 0;
};

class Scheduler {
 public:
  Scheduler(Setup setup, std::unique_ptr<Policy> policy);

  Admission Submit(const Item& item, TimeNs now);
  // All parts of one request, or none of them: they differ in texts, tokens and their ids, which ascend.
  Admission SubmitAll(std::span<const Item> items, TimeNs now);
  // Those of them that waited, and now do not; the others run already, or are not there.
  std::vector<std::uint64_t> CancelAll(std::span<const std::uint64_t> ids);
  bool Cancel(std::uint64_t id) { return !CancelAll({&id, 1}).empty(); }
  // Queued items whose deadline has passed leave the queue. A policy without promises (fcfs,
  // round_robin) keeps them: it would have run them.
  std::vector<Item> TakeExpired(TimeNs now);

  std::optional<Dispatch> Next(int executor, TimeNs now);
  void Finished(int executor, TimeNs now);

  // The fleet changes while it serves. A model that is removed must have nothing queued or running.
  int AddModel(Model model);    // its index, which stays
  void RemoveModel(int model);  // the index is free for another
  void SetResident(int model, int rung, bool resident);
  // The rung leaves memory. False, and nothing changed, where it is the one that promises count with while
  // accepted items of the model wait.
  bool Evict(int model, int rung);
  // Another core split: these executors are enabled, and no others. False, and nothing changed, where one
  // is busy, or where a promise that holds now would not hold with them.
  bool SwitchTo(std::span<const int> executors, TimeNs now);
  void SetOverhead(TimeNs overhead_ns);  // Setup::overhead_ns, as it has been lately

  const Setup& setup() const { return setup_; }
  const Policy& policy() const { return *policy_; }
  int queued() const { return queued_; }
  int queued(int model) const {
    return static_cast<int>(queues_[static_cast<std::size_t>(model)].size());
  }
  // What promises leave for batches that take longer than predicted:
  //   R ← max(R · 2^(−Δt / 2 s), seen − expected)   after each batch, within 0.2 and 20 ms
  // As of the last batch.
  TimeNs reserve_ns() const { return reserve_ns_; }

 private:
  View ViewAt(TimeNs now) const;
  TimeNs ReserveAt(TimeNs now) const;
  double SpreadAt(TimeNs now) const;
  void AgeTables(int model, TimeNs now);
  void Insert(std::span<const Item> items);
  planner::LatencyTable& TableOf(int model, int rung, int width);

  struct Running {
    TimeNs started = 0, expected_ns = 0;
    int texts = 0, tokens = 0;
  };

  Setup setup_;
  std::unique_ptr<Policy> policy_;
  std::vector<std::vector<Item>> queues_;
  std::vector<Running> running_;  // one an executor
  Usage usage_;
  int queued_ = 0, last_model_ = -1;
  TimeNs reserve_ns_ = 0;
  double spread_ = 0;      // mean of |seen − expected| / expected
  TimeNs reserve_at_ = 0;  // both as of then: the end of the last batch
};

}  // namespace hone::scheduler
