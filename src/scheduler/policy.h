// Policies: who is accepted, and what runs next. Pure: a function of the view, no clock, no threads, no
// memory of their own.
//
//   fcfs         everybody is accepted while there is room; in the order of arrival, alone with what
//                waits of the same model; the most accurate rung
//   round_robin  the same, model after model
//   edf          accepted where all promises still hold; earliest deadline first; the most accurate rung
//   ladder       edf, and the most accurate rung with which all promises still hold (default)
//
// Guarantee of edf and ladder: where batches take no longer than predicted plus the view's reserve,
// every accepted item ends by its deadline. The proof is the plan itself (plan_ahead.h): Admit lays out
// all accepted items and the new ones on the executors (edf with the most accurate resident rung, ladder
// with the fastest), in the order of deadlines, in batches of one model, and accepts only where each ends
// in time; Next only takes a step from which such a plan still exists. Where it fails: a batch that takes
// longer than predicted by more than the reserve, or rungs and executors that go while items wait (for edf
// also a more accurate rung that comes: what was promised with a faster one is then run on it). What
// is lost for good then is left to expire, and is no reason to refuse others.
//
// Headroom  a plan that only just holds has no room for who comes next. ladder takes a slower rung than
//           the fastest only where all that wait would still end within two fifths of what admission
//           gives them, and, unless another executor is idle, only for half of the time that those in a
//           hurry have lately given: accuracy falls before refusals begin. Both shares shrink with every
//           refusal of the last sixteenth of a second, and are nothing once one in twenty is refused: what
//           accuracy would cost then are answers.
// Classes   a low-priority item is accepted only where it would end within half of its time, a normal one
//           within nine tenths, a high one within all of it: under load the lower give way first.
// Tenants   of equal class: once the plan uses more than half of an item's time, a tenant that has had
//           more than its share of the accepted work of the last second (among those that asked) is
//           refused.
// Costs     once requests are refused, what costs clearly more than others waits, in the plan, as if the
//           cheaper ones that have lately asked went ahead of it: it is refused first. An eighth of the
//           machine is left to it, and all of it to who has had less than a fair share or has cores reserved.
// Models    reserved and limiting cores are means over the last second of accepted work: a model over its
//           limit is refused, and so is one that would take what is reserved for others.
// Batching  a batch takes items of the head's model in the order of deadlines as long as all promises
//           hold and max_batch_ns, max_texts and max_tokens are kept, and, unless another executor is idle,
//           two fifths of the time that those in a hurry give: only inside the slack; nobody ever
//           waits for a batch to fill, and idle executors share what waits.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "scheduler/types.h"
#include "scheduler/usage.h"

namespace hone::scheduler {

struct View {
  TimeNs now = 0;
  const Setup& setup;
  // Accepted and not yet running, one list a model, by (deadline, id).
  std::span<const std::vector<Item>> queues;
  const Usage& usage;
  TimeNs reserve_ns = 0;  // what batches have lately taken beyond prediction (Scheduler learns it)
  // By which share of its length a plan may be wrong; 0 where batches take what was predicted.
  double drift = 0;
  int last_model = -1;  // that ran
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view name() const = 0;
  // Whether an accepted item is promised to end in time.
  virtual bool promises() const = 0;
  // All of them or none: parts of one request, which differ in texts, tokens and their ids, which ascend.
  virtual Admission Admit(const View& view, std::span<const Item> parts) const = 0;
  // Accepted items that the plan would end too late; 0 where nothing is promised.
  virtual int Broken(const View&) const { return 0; }
  // `executor` is idle and enabled.
  virtual Decision Next(const View& view, int executor) const = 0;
};

// An error lists the names.
base::StatusOr<std::unique_ptr<Policy>> MakePolicy(std::string_view name);
std::vector<std::string_view> PolicyNames();

}  // namespace hone::scheduler
