#include "scheduler/admission.h"

#include <algorithm>
#include <cmath>

namespace hone::scheduler {
namespace {

// A client that is told to come back sooner than that would find the same queue.
constexpr TimeNs kShortestRetryNs = base::kMillisecondNs;
constexpr TimeNs kLongestRetryNs = 10 * base::kSecondNs;
// Shares of accepted work that differ by less are alike.
constexpr double kNearlyFair = 0.9;

Admission Refuse(Refusal reason, double retry_ns) {
  return {reason, static_cast<TimeNs>(
                      std::clamp(retry_ns, double(kShortestRetryNs), double(kLongestRetryNs)))};
}

// Shares fade with their half-life: when one that is `over` times too large will be right.
double FadeNs(double over) {
  return static_cast<double>(Usage::kHalfLifeNs) * std::log2(std::max(over, 1.0));
}

double Cores(const Setup& setup) {
  int cores = 0;
  for (const Executor& executor : setup.executors) {
    if (executor.enabled) cores += setup.widths[static_cast<std::size_t>(executor.width)];
  }
  return cores;
}

// About the time until all that waits is done, were it run one by one; from a few of each model.
double DrainNs(const View& view) {
  constexpr std::size_t kFew = 16;
  double drain = 0;
  for (const std::vector<Item>& queue : view.queues) {
    const std::size_t few = std::min(queue.size(), kFew);
    double work = 0;
    for (std::size_t i = 0; i < few; ++i) {
      work += static_cast<double>(WorkOf(view.setup, queue[i * queue.size() / few]));
    }
    if (few > 0) drain += work * static_cast<double>(queue.size()) / static_cast<double>(few);
  }
  return drain / std::max(Cores(view.setup), 1.0);
}

Admission CheckModelShare(const View& view, const Item& item) {
  const auto& models = view.setup.models;
  const Model& model = models[static_cast<std::size_t>(item.model)];
  const double own = view.usage.ModelCores(item.model, view.now);
  if (own > model.limit_cores) return Refuse(Refusal::kShare, FadeNs(own / model.limit_cores));
  double reserved = 0, others = 0;
  for (std::size_t m = 0; m < models.size(); ++m) {
    if (static_cast<int>(m) == item.model || models[m].rungs.empty()) continue;
    const double used = view.usage.ModelCores(static_cast<int>(m), view.now);
    reserved += models[m].reserved_cores;
    others += std::max(used - models[m].reserved_cores, 0.0);
  }
  if (reserved == 0 || own < model.reserved_cores) return {};
  const double free = std::max(Cores(view.setup) - reserved, 1e-3);
  const double taken = own - model.reserved_cores + others;
  if (taken > free - model.reserved_cores) {
    return Refuse(Refusal::kShare, FadeNs(taken / std::max(free - model.reserved_cores, 1e-3)));
  }
  return {};
}

// The shortest time in which the item could be done by an executor of its own; kNeverNs: by none.
TimeNs ShortestNs(const View& view, const Item& item, PlanRung choice) {
  const Model& model = view.setup.models[static_cast<std::size_t>(item.model)];
  TimeNs shortest = base::kNeverNs;
  for (const Executor& executor : view.setup.executors) {
    if (!executor.enabled) continue;
    const auto rung = static_cast<std::size_t>(ChooseRung(model, executor.width, choice));
    const auto& table = model.rungs[rung].tables[static_cast<std::size_t>(executor.width)];
    shortest = std::min(shortest, table.Predict(item.texts, item.tokens));
  }
  return shortest;
}

// Executor time times its threads of the item as one of `count` alike in a batch, by the fastest rung.
TimeNs WorkAmong(const Setup& setup, const Item& item, int count) {
  const Model& model = setup.models[static_cast<std::size_t>(item.model)];
  for (const Executor& executor : setup.executors) {
    if (!executor.enabled) continue;
    const int rung = ChooseRung(model, executor.width, PlanRung::kFastest);
    if (rung < 0) return 0;
    const auto width = static_cast<std::size_t>(executor.width);
    const auto& table = model.rungs[static_cast<std::size_t>(rung)].tables[width];
    return table.Predict(item.texts * count, item.tokens * count) * setup.widths[width] / count;
  }
  return 0;
}

// Where some are refused, refusing one that costs much leaves room for several that cost little. So what costs
// more than others counts with those that will come: of each core the share that they have lately asked for is
// theirs.
struct Cheaper {
  double share_left = 1;  // of a core, for what costs as much as the item; at least kLeast
  // What the cheaper ones give, in the mean, where more than one of them asks in the time that the item takes: refusing
  // it answers more than it costs. 0: it does not.
  TimeNs span_ns = 0;
};

Cheaper CheaperToCome(const View& view, const Item& item) {
  constexpr double kLeast = 1.0 / 8;  // however much cheaper requests ask for
  constexpr double kAllOfIt =
      1.0 / 20;  // share of refused requests from which on the whole of it counts
  const double counted = std::min(view.usage.RefusedShare(view.now) / kAllOfIt, 1.0);
  if (counted == 0) return {};
  // Who has had less than a fair part, or has cores reserved, is not pushed aside for being expensive.
  if (view.usage.TenantShare(item.tenant, item.priority, view.now) <
      kNearlyFair * view.usage.FairShare(item.priority, view.now)) {
    return {};
  }
  const Model& model = view.setup.models[static_cast<std::size_t>(item.model)];
  if (view.usage.ModelCores(item.model, view.now) < model.reserved_cores) return {};
  const double cores = std::max(Cores(view.setup), 1.0);
  const TimeNs work_ns = BatchedWorkOf(view.setup, item);
  const Usage::Below below = view.usage.AskedBelow(work_ns, item.priority, view.now);
  const double instead = below.per_ns * static_cast<double>(work_ns) / cores * counted;
  return {.share_left = std::max(1 - below.cores / cores * counted, kLeast),
          .span_ns = instead > 1 ? below.span_ns : 0};
}

}  // namespace

TimeNs WorkOf(const Setup& setup, const Item& item) {
  return WorkAmong(setup, item, 1);
}

TimeNs BatchedWorkOf(const Setup& setup, const Item& item) {
  constexpr int kBatch = 8;  // from there on a text costs hardly less
  return WorkAmong(setup, item, kBatch);
}

Admission CheckRoom(const View& view, std::span<const Item> parts) {
  const Item& item = parts.front();
  const Model& model = view.setup.models[static_cast<std::size_t>(item.model)];
  if (ChooseRung(model, 0, PlanRung::kMostAccurate) < 0) return {Refusal::kNotResident, 0};
  std::size_t queued = 0;
  for (const std::vector<Item>& queue : view.queues) queued += queue.size();
  if (queued + parts.size() > static_cast<std::size_t>(view.setup.max_queued)) {
    return Refuse(Refusal::kQueueFull, DrainNs(view) / 4);
  }
  return CheckModelShare(view, item);
}

int BrokenByPlan(const View& view, PlanRung choice) {
  return PlanAhead(view, choice)
      .Run({.drift = view.drift,
            .whole_drift_from = base::kNeverNs,
            .allowed = view.setup.max_queued})
      .broken;
}

Admission AdmitByPlan(const View& view, std::span<const Item> parts, PlanRung choice) {
  if (const Admission room = CheckRoom(view, parts); !room.accepted()) return room;
  // What one of them costs is asked of the longest.
  const Item& item = *std::ranges::max_element(
      parts, {}, [&](const Item& part) { return WorkOf(view.setup, part); });
  const auto span = static_cast<double>(item.deadline - item.arrival);
  const auto class_end = item.arrival + static_cast<TimeNs>(span * ShareOfTime(item.priority));
  // On a machine with nothing to do every class has all of its time.
  const TimeNs due = PlanAhead::Due(view, item);
  const TimeNs shortest = ShortestNs(view, item, choice);
  if (shortest == base::kNeverNs || view.now + shortest > due) return {Refusal::kDeadline, 0};
  const TimeNs by = std::min(due, std::max(class_end, view.now + shortest));

  const Cheaper cheaper = CheaperToCome(view, item);
  PlanQuestion question{.drift = view.drift,
                        .whole_drift_from = item.deadline,
                        .ahead_of = view.now + cheaper.span_ns};
  PlanAnswer answer = PlanAhead(view, choice, parts).Run(question);
  int lost = 0;
  if (answer.broken > 0) {
    // Promises that a stall has broken for good are no reason to refuse.
    lost = PlanAhead(view, choice).Run({.reserve = false, .allowed = view.setup.max_queued}).broken;
    if (lost > 0) {
      question.allowed = lost;
      answer = PlanAhead(view, choice, parts).Run(question);
    }
  }
  // Those to come go ahead of who waits, not of who can begin: else one who gives little time would be refused on
  // a machine with room, and count as a reason to refuse the next.
  const auto waited = [&](TimeNs until) {
    return static_cast<double>(std::max<TimeNs>(until - view.now - shortest, 0));
  };
  const double wait = waited(answer.extra_end);
  const TimeNs end = answer.extra_end + static_cast<TimeNs>(wait / cheaper.share_left - wait);
  // Whether a cheaper one that came now would be late behind all that waits, while others like it come.
  const bool in_the_way =
      cheaper.span_ns > 0 &&
      waited(answer.ahead_end) > cheaper.share_left * static_cast<double>(cheaper.span_ns);
  if (answer.broken > lost || end > by || in_the_way) {
    // By then what is laid out now has shrunk to the half.
    return Refuse(Refusal::kDeadline, static_cast<double>(answer.end - view.now) / 2);
  }
  if (static_cast<double>(answer.extra_end - item.arrival) > span / 2) {
    const double share = view.usage.TenantShare(item.tenant, item.priority, view.now);
    const double fair = view.usage.FairShare(item.priority, view.now);
    if (share > fair) return Refuse(Refusal::kShare, FadeNs(share / fair));
  }
  return {};
}

}  // namespace hone::scheduler
