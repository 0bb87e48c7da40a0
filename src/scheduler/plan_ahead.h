// The plan behind every promise: all accepted items laid out on the enabled executors, from the moment
// each is free.
//
//   until nothing is left
//     the executor that is free first takes the item with the earliest deadline, and with it, as one
//     batch, the next of the same model as long as
//       the batch stays within max_texts, max_tokens and max_batch_ns,
//       it ends in time for each of its items, and
//       the first items of the other models can still start in time.
//
// An item is in time where its batch ends by  deadline − overhead − reserve; the reserve is taken once an
// item, not once a batch, and is at most half of the item's time (otherwise one stall of the machine
// would turn away everybody in a hurry for seconds).
//
// The plan is a function of the state alone, so from a state whose plan holds, taking the plan's own first
// step leads to one whose plan holds. That is the guarantee's induction (policy.h).
//
// Usage
//   PlanAhead plan(view, PlanRung::kFastest, parts);
//   if (plan.Run({}).broken == 0) …                         // they may be accepted
//   if (plan.Run({.step = &step}).broken == 0) …            // step may be taken
//
// Cost          some 20 ns an item; scratch memory is kept between plans.
// Thread-safety one plan a thread at a time: the scratch is the thread's.
#pragma once

#include "scheduler/policy.h"

namespace hone::scheduler {

// With which rung of each model the plan counts.
enum class PlanRung : std::uint8_t { kMostAccurate, kFastest };

// The resident rung that a plan uses for `model` on executors of that width; -1 where none is resident.
// Fastest: for one text of kTypicalTokens, whatever the batch is, so that plans agree with each other.
int ChooseRung(const Model& model, int width, PlanRung choice);

// How much of its time, from arrival to deadline, an item of each class may use of a busy machine.
double ShareOfTime(Priority priority);

// What an executor does: `items` of a model's queue behind the first `skipped`, which are lost.
struct Step {
  int executor = 0;
  int model = -1;  // -1: nothing
  int skipped = 0, items = 0;
  TimeNs end = 0;
};

struct PlanQuestion {
  const Step* step = nullptr;  // taken before the plan begins
  // Each item is to end within this share of ShareOfTime of its time; 1: by its deadline.
  double share = 1;
  // What lies t ahead must end drift · t earlier: the further, the more a plan can be wrong by. Half of it for items
  // of an earlier deadline than that: a new item goes behind them, and they had all of it when they were accepted.
  double drift = 0;
  TimeNs whole_drift_from = 0;
  bool reserve = true;  // false: late is only what would miss its deadline were all as predicted
  int allowed = 0;      // the plan is given up once more items than that are late
  TimeNs ahead_of = 0;  // PlanAnswer::ahead_end: as one of that deadline would find it
};

struct PlanAnswer {
  int broken = 0;        // items that would be late
  TimeNs extra_end = 0;  // of the last batch with a new item; 0 where the plan was given up before
  TimeNs end = 0;        // of the last batch laid out
  TimeNs ahead_end =
      0;  // of the last batch with an item of a deadline up to `ahead_of`; 0: there is none
};

class PlanAhead {
 public:
  // `extra`: parts of a request that is not accepted yet, as Policy::Admit has them.
  PlanAhead(const View& view, PlanRung choice, std::span<const Item> extra = {});

  PlanAnswer Run(const PlanQuestion& question);
  // What the plan itself would do now on that executor.
  Step First(int executor);

  // Latest end of its batch with which the item is in time.
  static TimeNs Due(const View& view, const Item& item);

 private:
  struct Job;
  struct Slot;
  struct Lane;
  struct Scratch;

  void AddSlots();
  void AddLane(int number, PlanRung choice, std::span<const Item> extra);
  void Reset(const PlanQuestion& question);
  bool Late(const Job& job, TimeNs end) const;
  Slot* NextSlot() const;
  Lane* NextLane(const Slot& slot) const;
  bool Blocked(const Lane& lane, const Slot& slot) const;
  bool Wait(Slot* slot) const;
  TimeNs LatestStart(const Slot& slot, const Lane& except) const;
  int Grow(const Slot& slot, const Lane& lane, bool late, TimeNs* end) const;

  static Scratch& ThreadScratch();

  const View& view_;
  Scratch& scratch_;
  PlanQuestion question_;
  bool limited_ = false;  // some model may not run on all executors at once
};

}  // namespace hone::scheduler
