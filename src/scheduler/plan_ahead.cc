#include "scheduler/plan_ahead.h"

#include <algorithm>
#include <vector>

#include "base/check.h"

namespace hone::scheduler {
namespace {

// A sentence; the tables of one model's rungs rarely cross.
constexpr int kTypicalTokens = 32;

}  // namespace

// An item as the plan needs it.
struct PlanAhead::Job {
  TimeNs deadline = 0, due = 0;
  TimeNs arrival = 0, class_span = 0;  // ShareOfTime of its time
  int texts = 0, tokens = 0;
  bool extra = false;
};

// An executor. One that left the core split counts until it is done, for the limits of its model.
struct PlanAhead::Slot {
  TimeNs free = 0;
  int executor = 0, width = 0;
  int model = -1;
  bool enabled = true;
};

// The waiting items of one model, [begin, end) of Scratch::jobs; `next` is the first not laid out.
struct PlanAhead::Lane {
  int model = 0;
  std::size_t begin = 0, end = 0, next = 0;
  int max_texts = 0, max_tokens = 0, max_executors = 0;
  std::vector<const planner::LatencyTable*> tables;  // by width
  // Of the item at `next`, on executors of that width: when it must begin at the latest.
  TimeNs latest_start = 0;
  int latest_width = -1;

  bool done() const { return next == end; }
};

struct PlanAhead::Scratch {
  std::vector<Job> jobs;
  std::vector<Lane> lanes;  // the first `lane_count`; the others keep their memory
  std::size_t lane_count = 0;
  std::vector<Slot> slots_at_start, slots;
};

PlanAhead::Scratch& PlanAhead::ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

double ShareOfTime(Priority priority) {
  constexpr double kShares[] = {0.5, 0.9, 1.0};  // low, normal, high
  return kShares[static_cast<std::size_t>(priority)];
}

int ChooseRung(const Model& model, int width, PlanRung choice) {
  int chosen = -1;
  TimeNs shortest = base::kNeverNs;
  for (std::size_t r = 0; r < model.rungs.size(); ++r) {
    const Rung& rung = model.rungs[r];
    if (!rung.resident) continue;
    if (choice == PlanRung::kMostAccurate) return static_cast<int>(r);
    const auto time = rung.tables[static_cast<std::size_t>(width)].Predict(1, kTypicalTokens);
    if (time >= shortest) continue;
    chosen = static_cast<int>(r);
    shortest = time;
  }
  return chosen;
}

TimeNs PlanAhead::Due(const View& view, const Item& item) {
  const TimeNs most = (item.deadline - item.arrival) / 2;
  return item.deadline - view.setup.overhead_ns - std::min(view.reserve_ns, most);
}

PlanAhead::PlanAhead(const View& view, PlanRung choice, std::span<const Item> extra)
    : view_(view), scratch_(ThreadScratch()) {
  scratch_.jobs.clear();
  scratch_.lane_count = 0;
  AddSlots();
  for (std::size_t m = 0; m < view.queues.size(); ++m) {
    const bool has_extra = !extra.empty() && extra.front().model == static_cast<int>(m);
    if (!view.queues[m].empty() || has_extra) {
      AddLane(static_cast<int>(m), choice, has_extra ? extra : std::span<const Item>());
    }
  }
}

void PlanAhead::AddSlots() {
  std::vector<Slot>& slots = scratch_.slots_at_start;
  slots.clear();
  for (std::size_t e = 0; e < view_.setup.executors.size(); ++e) {
    const Executor& executor = view_.setup.executors[e];
    if (!executor.enabled && !executor.busy) continue;
    // One that is late already will be so for as long again: that is what is known about stalls.
    const TimeNs overdue = view_.now - executor.free_at;
    const TimeNs free = executor.busy ? std::max(executor.free_at, view_.now + overdue) : view_.now;
    slots.push_back({.free = free,
                     .executor = static_cast<int>(e),
                     .width = executor.width,
                     .model = executor.busy ? executor.model : -1,
                     .enabled = executor.enabled});
  }
}

void PlanAhead::AddLane(int number, PlanRung choice, std::span<const Item> extra) {
  const Model& model = view_.setup.models[static_cast<std::size_t>(number)];
  const std::vector<Item>& queue = view_.queues[static_cast<std::size_t>(number)];
  // Items of a model without a rung in memory run once it has one; there is nothing to plan with.
  if (ChooseRung(model, 0, choice) < 0) return;
  if (scratch_.lane_count == scratch_.lanes.size()) scratch_.lanes.emplace_back();
  Lane& lane = scratch_.lanes[scratch_.lane_count++];
  lane.model = number;
  lane.max_texts = model.max_texts;
  lane.max_tokens = model.max_tokens;
  lane.max_executors = model.max_executors;
  limited_ |= model.max_executors < static_cast<int>(scratch_.slots_at_start.size());
  lane.tables.clear();
  for (std::size_t w = 0; w < view_.setup.widths.size(); ++w) {
    const auto rung = static_cast<std::size_t>(ChooseRung(model, static_cast<int>(w), choice));
    lane.tables.push_back(&model.rungs[rung].tables[w]);
  }
  const auto add = [&](const Item& item, bool is_extra) {
    const auto span = static_cast<double>(item.deadline - item.arrival);
    scratch_.jobs.push_back({.deadline = item.deadline,
                             .due = Due(view_, item),
                             .arrival = item.arrival,
                             .class_span = static_cast<TimeNs>(span * ShareOfTime(item.priority)),
                             .texts = item.texts,
                             .tokens = item.tokens,
                             .extra = is_extra});
  };
  lane.begin = scratch_.jobs.size();
  const auto behind = std::ranges::upper_bound(
      queue, extra.empty() ? base::kNeverNs : extra.front().deadline, {}, &Item::deadline);
  for (auto item = queue.begin(); item != behind; ++item) add(*item, false);
  for (const Item& item : extra) add(item, true);
  for (auto item = behind; item != queue.end(); ++item) add(*item, false);
  lane.end = scratch_.jobs.size();
}

void PlanAhead::Reset(const PlanQuestion& question) {
  question_ = question;
  scratch_.slots = scratch_.slots_at_start;
  for (std::size_t i = 0; i < scratch_.lane_count; ++i) {
    Lane& lane = scratch_.lanes[i];
    lane.next = lane.begin;
    lane.latest_width = -1;
    if (question.step != nullptr && question.step->model == lane.model) {
      lane.next += static_cast<std::size_t>(question.step->skipped + question.step->items);
      HONE_CHECK(lane.next <= lane.end);
    }
  }
  if (question.step == nullptr) return;
  for (Slot& slot : scratch_.slots) {
    if (slot.executor != question.step->executor) continue;
    slot.free = question.step->end;
    slot.model = question.step->model;
  }
}

bool PlanAhead::Late(const Job& job, TimeNs end) const {
  if (!question_.reserve) return end > job.deadline - view_.setup.overhead_ns;
  const double ahead = static_cast<double>(end - view_.now);
  const double part = job.deadline < question_.whole_drift_from ? 0.5 : 1;
  if (end + static_cast<TimeNs>(ahead * question_.drift * part) > job.due) return true;
  if (question_.share >= 1) return false;
  const double early = static_cast<double>(job.class_span) * question_.share;
  return end > job.arrival + static_cast<TimeNs>(early);
}

PlanAhead::Slot* PlanAhead::NextSlot() const {
  Slot* next = nullptr;
  for (Slot& slot : scratch_.slots) {
    if (slot.enabled && (next == nullptr || slot.free < next->free)) next = &slot;
  }
  return next;
}

// Whether as many executors as the model may have are at it at that moment.
bool PlanAhead::Blocked(const Lane& lane, const Slot& slot) const {
  if (!limited_) return false;
  int running = 0;
  for (const Slot& other : scratch_.slots) {
    running += &other != &slot && other.model == lane.model && other.free > slot.free;
  }
  return running >= lane.max_executors;
}

PlanAhead::Lane* PlanAhead::NextLane(const Slot& slot) const {
  Lane* next = nullptr;
  for (std::size_t i = 0; i < scratch_.lane_count; ++i) {
    Lane& lane = scratch_.lanes[i];
    if (lane.done() || Blocked(lane, slot)) continue;
    if (next == nullptr || scratch_.jobs[lane.next].deadline < scratch_.jobs[next->next].deadline) {
      next = &lane;
    }
  }
  return next;
}

// Every model that waits is at its limit: the slot idles until the first of the others is done. False
// where nothing waits.
bool PlanAhead::Wait(Slot* slot) const {
  bool waits = false;
  for (std::size_t i = 0; i < scratch_.lane_count; ++i) waits |= !scratch_.lanes[i].done();
  TimeNs until = base::kNeverNs;
  for (const Slot& other : scratch_.slots) {
    if (&other != slot && other.free > slot->free) until = std::min(until, other.free);
  }
  if (!waits || until == base::kNeverNs) return false;
  slot->free = until;
  slot->model = -1;
  return true;
}

// When the first item of any other model must begin at the latest.
TimeNs PlanAhead::LatestStart(const Slot& slot, const Lane& except) const {
  TimeNs latest = base::kNeverNs;
  for (std::size_t i = 0; i < scratch_.lane_count; ++i) {
    Lane& lane = scratch_.lanes[i];
    if (&lane == &except || lane.done()) continue;
    if (lane.latest_width != slot.width) {
      const Job& job = scratch_.jobs[lane.next];
      const auto& table = *lane.tables[static_cast<std::size_t>(slot.width)];
      lane.latest_start = job.due - table.Predict(job.texts, job.tokens);
      lane.latest_width = slot.width;
    }
    // One that is too late already gains nothing by small batches.
    if (lane.latest_start >= slot.free) latest = std::min(latest, lane.latest_start);
  }
  // Another executor may be there for it.
  for (const Slot& other : scratch_.slots) {
    if (&other != &slot && other.enabled && other.free <= latest) return base::kNeverNs;
  }
  return latest;
}

// How many of the lane's next items run as one batch, and when it ends. `late`: the first will be late
// in any case. What the question asks for plays no part: the plan that was judged is the one that runs.
int PlanAhead::Grow(const Slot& slot, const Lane& lane, bool late, TimeNs* end) const {
  const auto& table = *lane.tables[static_cast<std::size_t>(slot.width)];
  const Job* job = &scratch_.jobs[lane.next];
  const int waiting = static_cast<int>(lane.end - lane.next);
  TimeNs due = late ? base::kNeverNs : job[0].due;
  TimeNs latest = -1;
  int texts = job[0].texts, tokens = job[0].tokens, items = 1;
  for (; items < waiting; ++items) {
    texts += job[items].texts;
    tokens += job[items].tokens;
    if (texts > lane.max_texts || tokens > lane.max_tokens) break;
    if (latest < 0) latest = LatestStart(slot, lane);
    due = std::min(due, job[items].due);
    const TimeNs time = table.Predict(texts, tokens);
    if (time > view_.setup.max_batch_ns || slot.free + time > std::min(due, latest)) break;
    *end = slot.free + time;
  }
  return items;
}

PlanAnswer PlanAhead::Run(const PlanQuestion& question) {
  Reset(question);
  PlanAnswer answer;
  while (Slot* slot = NextSlot()) {
    Lane* lane = NextLane(*slot);
    if (lane == nullptr) {
      if (Wait(slot)) continue;
      break;
    }
    const Job* job = &scratch_.jobs[lane->next];
    const auto& table = *lane->tables[static_cast<std::size_t>(slot->width)];
    TimeNs end = slot->free + table.Predict(job->texts, job->tokens);
    const bool late = end > job->due;
    lane->latest_width = -1;
    if (end > job->deadline) {  // lost: Next will not run it either
      if (++answer.broken > question.allowed) return answer;
      if (job->extra) answer.extra_end = std::max(answer.extra_end, end);
      ++lane->next;
      continue;
    }
    const int items = Grow(*slot, *lane, late, &end);
    for (int i = 0; i < items; ++i) {
      if (job[i].extra) answer.extra_end = std::max(answer.extra_end, end);
      if (job[i].deadline <= question.ahead_of) answer.ahead_end = std::max(answer.ahead_end, end);
      if (Late(job[i], end) && ++answer.broken > question.allowed) return answer;
    }
    lane->next += static_cast<std::size_t>(items);
    slot->free = end;
    slot->model = lane->model;
    answer.end = std::max(answer.end, end);
  }
  return answer;
}

Step PlanAhead::First(int executor) {
  Reset({});
  for (Slot& slot : scratch_.slots) {
    if (slot.executor != executor) continue;
    slot.free = view_.now;
    while (Lane* lane = NextLane(slot)) {
      const Job& job = scratch_.jobs[lane->next];
      const auto& table = *lane->tables[static_cast<std::size_t>(slot.width)];
      TimeNs end = slot.free + table.Predict(job.texts, job.tokens);
      if (end > job.deadline) {
        ++lane->next;
        lane->latest_width = -1;
        continue;
      }
      const int items = Grow(slot, *lane, end > job.due, &end);
      return {.executor = executor,
              .model = lane->model,
              .skipped = static_cast<int>(lane->next - lane->begin),
              .items = items,
              .end = end};
    }
  }
  return {};
}

}  // namespace hone::scheduler
