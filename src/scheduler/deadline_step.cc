#include "scheduler/deadline_step.h"

#include <algorithm>

namespace hone::scheduler {
namespace {

// The shares of slower rungs are the best, or near it, of a grid over loads of 0.3 to 4.5, Poisson and bursty
// arrivals, one and two executors: answers in time times their accuracy, three models of three rungs.

// A slower rung than the fastest is taken only where everybody who waits would still end within that
// share of what admission gives them: so accuracy falls before refusals begin.
constexpr double kHeadroom = 0.4;
// While no other executor is idle, a slower rung runs for at most that share of the time that those in a
// hurry have lately given: else whoever comes next with so little time is refused.
constexpr double kSlowerRungShare = 0.5;
// Both shrink as requests are refused, to nothing once that share of them is: accuracy is not paid for with
// answers.
constexpr double kRefusedWithoutSlack = 0.05;
// And a batch that could be shorter for at most that share: on the real machine reserve and front take half of what
// those in a hurry give, and texts cost hardly less in longer batches. Measured at three times the saturating load
// against 1 and costs compared in coarser steps: 14 to 25 % more of them answered, none of 55,857 late instead of 66.
constexpr double kBatchShare = 0.4;

class StepSearch {
 public:
  StepSearch(const View& view, int executor, PlanRung choice)
      : view_(view),
        choice_(choice),
        plan_(view, choice),
        first_(plan_.First(executor)),
        slack_(std::max(0.0, 1 - view.usage.RefusedShare(view.now) / kRefusedWithoutSlack)) {}

  Decision Find();

 private:
  int Fitting(int rung, TimeNs longest) const;
  TimeNs LongestStep(double share) const;
  bool Holds(int rung, int items, double share, double drift);
  TimeNs EndOf(int rung, int items) const;
  int width() const {
    return view_.setup.executors[static_cast<std::size_t>(first_.executor)].width;
  }
  const Model& model() const { return view_.setup.models[static_cast<std::size_t>(first_.model)]; }
  const Item* items() const {
    return view_.queues[static_cast<std::size_t>(first_.model)].data() + first_.skipped;
  }
  int waiting() const {
    return static_cast<int>(view_.queues[static_cast<std::size_t>(first_.model)].size()) -
           first_.skipped;
  }
  Decision Take(int rung, int count) const;

  const View& view_;
  PlanRung choice_;
  PlanAhead plan_;
  const Step first_;
  const double slack_;  // how much of the slower rungs' shares is left, 0 to 1
};

const planner::LatencyTable& TableOf(const Setup& setup, const Model& model, int rung,
                                     int executor) {
  const int width = setup.executors[static_cast<std::size_t>(executor)].width;
  return model.rungs[static_cast<std::size_t>(rung)].tables[static_cast<std::size_t>(width)];
}

// How many of the next items fit one batch of that rung, at least one.
int StepSearch::Fitting(int rung, TimeNs longest) const {
  const auto& table = TableOf(view_.setup, model(), rung, first_.executor);
  int texts = 0, tokens = 0, count = 0;
  TimeNs due = base::kNeverNs;
  for (; count < waiting(); ++count) {
    texts += items()[count].texts;
    tokens += items()[count].tokens;
    if (texts > model().max_texts || tokens > model().max_tokens) break;
    due = std::min(due, PlanAhead::Due(view_, items()[count]));
    const TimeNs time = table.Predict(texts, tokens);
    if (time > longest || view_.now + time > due) break;
  }
  return std::max(count, 1);
}

TimeNs StepSearch::EndOf(int rung, int count) const {
  int texts = 0, tokens = 0;
  for (int i = 0; i < count; ++i) {
    texts += items()[i].texts;
    tokens += items()[i].tokens;
  }
  return view_.now + TableOf(view_.setup, model(), rung, first_.executor).Predict(texts, tokens);
}

// How long a step may take for the sake of those in a hurry who may come meanwhile.
TimeNs StepSearch::LongestStep(double share) const {
  const TimeNs tight = view_.usage.TightSpan(view_.now);
  for (std::size_t e = 0; e < view_.setup.executors.size(); ++e) {
    const Executor& executor = view_.setup.executors[e];
    const bool other = static_cast<int>(e) != first_.executor;
    if (other && executor.enabled && !executor.busy) return view_.setup.max_batch_ns;
  }
  if (tight == base::kNeverNs) return view_.setup.max_batch_ns;
  return std::min(view_.setup.max_batch_ns,
                  static_cast<TimeNs>(static_cast<double>(tight) * share));
}

bool StepSearch::Holds(int rung, int count, double share, double drift) {
  Step step = first_;
  step.items = count;
  step.end = EndOf(rung, count);
  for (int i = 0; i < count; ++i) {
    if (step.end > PlanAhead::Due(view_, items()[i])) return false;
  }
  return plan_.Run({.step = &step, .share = share, .drift = drift}).broken == 0;
}

Decision StepSearch::Take(int rung, int count) const {
  Decision decision{.model = first_.model, .rung = rung, .items = {}};
  for (int i = 0; i < count; ++i) decision.items.push_back(items()[i].id);
  return decision;
}

Decision StepSearch::Find() {
  if (first_.model < 0) return {};
  const Setup& setup = view_.setup;
  const int planned = ChooseRung(model(), width(), choice_);
  // Executors that are idle as well share what waits.
  int idle = 0, all = 0;
  for (const Executor& executor : setup.executors) idle += executor.enabled && !executor.busy;
  for (const std::vector<Item>& queue : view_.queues) all += static_cast<int>(queue.size());
  const int part = (all + std::max(idle, 1) - 1) / std::max(idle, 1);

  for (int rung = 0; rung < static_cast<int>(model().rungs.size()); ++rung) {
    const bool last = rung == planned;
    if (!model().rungs[static_cast<std::size_t>(rung)].resident) continue;
    if (!last && (choice_ == PlanRung::kMostAccurate || slack_ == 0)) continue;
    const TimeNs longest = LongestStep(last ? kBatchShare : kSlowerRungShare * slack_);
    if (!last && EndOf(rung, 1) - view_.now > longest) continue;
    const int most = std::min(Fitting(rung, longest), part);
    for (int count = most; count > 0; count = count > 1 ? (count + 1) / 2 : 0) {
      if (Holds(rung, count, last ? 1 : kHeadroom * slack_, last ? 0 : view_.drift))
        return Take(rung, count);
    }
    if (last) break;  // what is less accurate and not faster is of no use
  }
  return Take(planned, first_.items);
}

}  // namespace

Decision StepByPlan(const View& view, int executor, PlanRung choice) {
  return StepSearch(view, executor, choice).Find();
}

}  // namespace hone::scheduler
