#include "scheduler/scheduler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/check.h"
#include "scheduler/admission.h"
#include "scheduler/plan_ahead.h"

namespace hone::scheduler {
namespace {

// What a promise leaves for a batch that takes longer than predicted: at least a scheduler's tick of the
// kernel, at most a few batches; half of what was learnt is forgotten in two seconds.
constexpr TimeNs kLeastReserveNs = 200 * base::kMicrosecondNs;
constexpr TimeNs kMostReserveNs = 20 * base::kMillisecondNs;
constexpr double kReserveHalfLifeNs = 2.0 * base::kSecondNs;

// The mean relative error of predictions, over the last few dozen batches. A table's correction is wrong
// by about a fifth of a batch's error (its step is 1/16), and a plan of many batches by as much in one
// direction; that it all points the same way for the length of a plan is what three quarters are for. At
// three times the saturating load 0.17 % of the accepted were late with a half and 0.09 % with one; three quarters do
// beside what else is left for a slow front (server/dispatch).
constexpr double kSpreadStep = 1.0 / 32;
constexpr double kDriftOfSpread = 0.75;

bool Before(const Item& a, const Item& b) {
  return a.deadline != b.deadline ? a.deadline < b.deadline : a.id < b.id;
}

void CheckModel(const Setup& setup, const Model& model) {
  HONE_CHECK(!model.rungs.empty());
  for (const Rung& rung : model.rungs) HONE_CHECK(rung.tables.size() == setup.widths.size());
}

}  // namespace

Scheduler::Scheduler(Setup setup, std::unique_ptr<Policy> policy)
    : setup_(std::move(setup)),
      policy_(std::move(policy)),
      queues_(setup_.models.size()),
      running_(setup_.executors.size()),
      reserve_ns_(kLeastReserveNs) {
  HONE_CHECK(policy_ != nullptr);
  for (const Model& model : setup_.models) CheckModel(setup_, model);
  for (const Executor& executor : setup_.executors) {
    HONE_CHECK(executor.width >= 0 && executor.width < static_cast<int>(setup_.widths.size()));
  }
}

TimeNs Scheduler::ReserveAt(TimeNs now) const {
  const double age = static_cast<double>(now - reserve_at_);
  const auto faded =
      static_cast<TimeNs>(static_cast<double>(reserve_ns_) * std::exp2(-age / kReserveHalfLifeNs));
  return std::max(faded, kLeastReserveNs);
}

// Forgotten as a table's correction is, and for the same reason.
double Scheduler::SpreadAt(TimeNs now) const {
  const double age = static_cast<double>(now - reserve_at_);
  return spread_ * std::exp2(-age / static_cast<double>(planner::kCorrectionHalfLifeNs));
}

void Scheduler::AgeTables(int model, TimeNs now) {
  for (Rung& rung : setup_.models[static_cast<std::size_t>(model)].rungs) {
    for (planner::LatencyTable& table : rung.tables) table.Age(now);
  }
}

View Scheduler::ViewAt(TimeNs now) const {
  return {.now = now,
          .setup = setup_,
          .queues = queues_,
          .usage = usage_,
          .reserve_ns = ReserveAt(now),
          .drift = SpreadAt(now) * kDriftOfSpread,
          .last_model = last_model_};
}

void Scheduler::Insert(std::span<const Item> items) {
  std::vector<Item>& queue = queues_[static_cast<std::size_t>(items.front().model)];
  queue.insert(std::ranges::upper_bound(queue, items.front(), Before), items.begin(), items.end());
  queued_ += static_cast<int>(items.size());
}

Admission Scheduler::Submit(const Item& item, TimeNs now) {
  return SubmitAll({&item, 1}, now);
}

Admission Scheduler::SubmitAll(std::span<const Item> items, TimeNs now) {
  if (items.empty()) return {};
  const Item& first = items.front();
  HONE_CHECK(first.model >= 0 && first.model < static_cast<int>(queues_.size()));
  for (const Item& item : items) {
    HONE_CHECK(item.texts >= 1 && item.tokens >= item.texts);
    HONE_CHECK(item.model == first.model && item.deadline == first.deadline);
  }
  HONE_CHECK(std::ranges::is_sorted(items, {}, &Item::id));
  AgeTables(first.model, now);
  const Admission admission =
      first.deadline <= now ? Admission{Refusal::kDeadline, 0} : policy_->Admit(ViewAt(now), items);
  if (!admission.accepted()) {
    // One that could never be kept has no claim on the machine.
    if (admission.retry_after > 0) {
      usage_.Asked(first, BatchedWorkOf(setup_, first), now);
      // A share that is used up says nothing of the machine.
      if (admission.refusal != Refusal::kShare) usage_.TurnedAway();
    }
    return admission;
  }
  Insert(items);
  for (const Item& item : items) {
    usage_.Asked(item, BatchedWorkOf(setup_, item), now);
    usage_.Accepted(item, WorkOf(setup_, item), now);
  }
  return {};
}

std::vector<std::uint64_t> Scheduler::CancelAll(std::span<const std::uint64_t> ids) {
  std::vector<std::uint64_t> wanted(ids.begin(), ids.end()), cancelled;
  std::ranges::sort(wanted);
  for (std::vector<Item>& queue : queues_) {
    std::erase_if(queue, [&](const Item& item) {
      if (!std::ranges::binary_search(wanted, item.id)) return false;
      cancelled.push_back(item.id);
      return true;
    });
  }
  queued_ -= static_cast<int>(cancelled.size());
  return cancelled;
}

std::vector<Item> Scheduler::TakeExpired(TimeNs now) {
  std::vector<Item> expired;
  if (!policy_->promises()) return expired;
  for (std::vector<Item>& queue : queues_) {
    const auto first = std::find_if(queue.begin(), queue.end(),
                                    [&](const Item& item) { return item.deadline > now; });
    expired.insert(expired.end(), queue.begin(), first);
    queue.erase(queue.begin(), first);
  }
  queued_ -= static_cast<int>(expired.size());
  return expired;
}

std::optional<Dispatch> Scheduler::Next(int executor, TimeNs now) {
  Executor& at = setup_.executors[static_cast<std::size_t>(executor)];
  if (at.busy || !at.enabled || queued_ == 0) return std::nullopt;
  const Decision decision = policy_->Next(ViewAt(now), executor);
  if (decision.items.empty()) return std::nullopt;

  Dispatch dispatch{.model = decision.model, .rung = decision.rung, .items = {}};
  Running& running = running_[static_cast<std::size_t>(executor)];
  running = {.started = now};
  std::vector<Item>& queue = queues_[static_cast<std::size_t>(decision.model)];
  std::vector<std::uint64_t> ids = decision.items;
  std::sort(ids.begin(), ids.end());
  const auto left = std::stable_partition(queue.begin(), queue.end(), [&](const Item& item) {
    return !std::binary_search(ids.begin(), ids.end(), item.id);
  });
  for (auto item = left; item != queue.end(); ++item) {
    running.texts += item->texts;
    running.tokens += item->tokens;
    dispatch.items.push_back(*item);
  }
  queue.erase(left, queue.end());
  HONE_CHECK(dispatch.items.size() == ids.size());
  queued_ -= static_cast<int>(ids.size());
  const planner::LatencyTable& table = TableOf(decision.model, decision.rung, at.width);
  dispatch.expected_ns = running.expected_ns = table.Predict(running.texts, running.tokens);
  at.busy = true;
  at.free_at = now + dispatch.expected_ns;
  at.model = last_model_ = decision.model;
  at.rung = decision.rung;
  return dispatch;
}

void Scheduler::Finished(int executor, TimeNs now) {
  Executor& at = setup_.executors[static_cast<std::size_t>(executor)];
  HONE_CHECK(at.busy);
  const Running& running = running_[static_cast<std::size_t>(executor)];
  const TimeNs seen = now - running.started;
  TableOf(at.model, at.rung, at.width).Observe(running.texts, running.tokens, seen, now);
  reserve_ns_ = std::clamp(std::max(ReserveAt(now), seen - running.expected_ns), kLeastReserveNs,
                           kMostReserveNs);
  const double off = std::abs(static_cast<double>(seen - running.expected_ns)) /
                     static_cast<double>(std::max<TimeNs>(running.expected_ns, 1));
  spread_ = SpreadAt(now);
  spread_ += kSpreadStep * (std::min(off, 1.0) - spread_);
  reserve_at_ = now;
  at.busy = false;
  at.free_at = now;
  at.model = at.rung = -1;
}

planner::LatencyTable& Scheduler::TableOf(int model, int rung, int width) {
  return setup_.models[static_cast<std::size_t>(model)]
      .rungs[static_cast<std::size_t>(rung)]
      .tables[static_cast<std::size_t>(width)];
}

int Scheduler::AddModel(Model model) {
  CheckModel(setup_, model);
  // A place that a removed model has left, so that loading again and again costs nothing for good.
  const auto free =
      std::ranges::find_if(setup_.models, [](const Model& m) { return m.rungs.empty(); });
  const auto place = static_cast<int>(free - setup_.models.begin());
  if (free == setup_.models.end()) {
    setup_.models.emplace_back();
    queues_.emplace_back();
  }
  setup_.models[static_cast<std::size_t>(place)] = std::move(model);
  return place;
}

void Scheduler::RemoveModel(int model) {
  HONE_CHECK(queued(model) == 0);
  for (const Executor& executor : setup_.executors) {
    HONE_CHECK(!executor.busy || executor.model != model);
  }
  // An index without rungs accepts nothing.
  setup_.models[static_cast<std::size_t>(model)] = {};
  usage_.RemoveModel(model);
}

void Scheduler::SetResident(int model, int rung, bool resident) {
  setup_.models[static_cast<std::size_t>(model)].rungs[static_cast<std::size_t>(rung)].resident =
      resident;
}

bool Scheduler::Evict(int model, int rung) {
  if (queued(model) > 0) {
    const Model& at = setup_.models[static_cast<std::size_t>(model)];
    for (int width = 0; width < static_cast<int>(setup_.widths.size()); ++width) {
      if (ChooseRung(at, width, PlanRung::kFastest) == rung) return false;
    }
  }
  SetResident(model, rung, false);
  return true;
}

bool Scheduler::SwitchTo(std::span<const int> executors, TimeNs now) {
  if (std::ranges::any_of(setup_.executors, &Executor::busy)) return false;
  const int broken = queued_ == 0 ? 0 : policy_->Broken(ViewAt(now));
  const std::vector<Executor> before = setup_.executors;
  for (Executor& executor : setup_.executors) executor.enabled = false;
  for (const int e : executors) setup_.executors[static_cast<std::size_t>(e)].enabled = true;
  if (queued_ == 0 || policy_->Broken(ViewAt(now)) <= broken) return true;
  setup_.executors = before;
  return false;
}

void Scheduler::SetOverhead(TimeNs overhead_ns) {
  setup_.overhead_ns = overhead_ns;
}

}  // namespace hone::scheduler
