#include "sim/background.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/strings.h"
#include "planner/cold_start.h"
#include "planner/residency.h"

namespace hone::sim {
namespace {

using base::TimeNs;
using planner::RungRef;
using scheduler::Item;

// Linux weighs a thread of SCHED_IDLE 3 where one that is nicer by 10 has 110 (kernel/sched/core.c).
constexpr double kShareOfBusyCore = 3.0 / 113;
constexpr TimeNs kLookEveryNs = base::kSecondNs;

// As the planner is told of them before anything was asked.
std::vector<planner::ModelState> StatesOf(const Memory& memory, const scheduler::Setup& setup) {
  std::vector<planner::ModelState> states;
  for (const scheduler::Model& model : setup.models) {
    planner::ModelState& state = states.emplace_back();
    for (const scheduler::Rung& rung : model.rungs) {
      state.rungs.push_back({.accuracy = rung.accuracy, .resident = rung.resident});
    }
  }
  for (std::size_t m = 0; m < memory.models.size(); ++m) {
    const Memory::Model& model = memory.models[m];
    states[m].pinned = model.pinned;
    states[m].reserved_bytes = model.reserved_bytes;
    states[m].limit_bytes = model.limit_bytes;
    for (std::size_t r = 0; r < model.rungs.size(); ++r) {
      states[m].rungs[r].bytes = model.rungs[r].bytes;
    }
  }
  return states;
}

}  // namespace

base::Status CheckMemory(const Memory& memory, const scheduler::Setup& setup) {
  if (memory.budget_bytes == 0) return base::OkStatus();
  if (memory.models.size() != setup.models.size()) {
    return base::BadInput("memory of ", memory.models.size(), " models; there are ",
                          setup.models.size());
  }
  std::uint64_t reserved = 0;
  for (std::size_t m = 0; m < memory.models.size(); ++m) {
    const Memory::Model& model = memory.models[m];
    if (model.rungs.size() != setup.models[m].rungs.size()) {
      return base::BadInput("model \"", setup.models[m].name, "\": memory of ", model.rungs.size(),
                            " rungs; there are ", setup.models[m].rungs.size());
    }
    reserved += model.reserved_bytes;
  }
  if (reserved > memory.budget_bytes) {
    return base::BadInput("the models reserve ", base::WithCommas(reserved),
                          " bytes of memory, more than the budget of ",
                          base::WithCommas(memory.budget_bytes));
  }
  return planner::FirstResident(StatesOf(memory, setup), memory.budget_bytes).status();
}

Background::Background(const Resources& resources, scheduler::Scheduler* scheduler)
    : budget_(resources.memory.budget_bytes),
      layouts_(resources.layouts),
      scheduler_(*scheduler),
      memory_(budget_),
      states_(StatesOf(resources.memory, scheduler->setup())),
      counts_(states_.size()),
      next_look_(kLookEveryNs) {
  if (budget_ == 0) return;
  const scheduler::Setup& setup = scheduler_.setup();
  int threads = 0;
  for (const scheduler::Executor& executor : setup.executors) {
    if (executor.enabled) threads += setup.widths[static_cast<std::size_t>(executor.width)];
  }
  for (const Memory::Model& model : resources.memory.models) {
    std::vector<double>& work_ms = work_ms_.emplace_back();
    for (const Memory::Rung& rung : model.rungs) {
      work_ms.push_back(planner::LoadWorkMs(rung.load_ms, threads, rung.bytes));
    }
  }
  seen_ms_ = work_ms_;
  const auto first =
      *planner::FirstResident(states_, budget_);  // CheckMemory has seen that it fits
  for (std::size_t m = 0; m < states_.size(); ++m) {
    for (std::size_t r = 0; r < states_[m].rungs.size(); ++r) {
      states_[m].rungs[r].resident = first[m][r];
      scheduler_.SetResident(static_cast<int>(m), static_cast<int>(r), first[m][r]);
    }
  }
  CountBytes();
}

void Background::Asked(const Item& item) {
  if (fixed()) return;
  State(item.model)
      .demand.Asked(item.texts, item.tokens, item.deadline - item.arrival, item.arrival);
}

bool Background::Has(int model) const {
  return budget_ == 0 || std::ranges::any_of(states_[static_cast<std::size_t>(model)].rungs,
                                             &planner::RungState::resident);
}

bool Background::Wait(const Item& item, TimeNs now) {
  State(item.model).wanted = true;
  const auto m = static_cast<std::size_t>(item.model);
  const planner::ModelState& state = states_[m];
  std::optional<double> fitting;  // the least, in milliseconds of one thread
  for (std::size_t r = 0; r < state.rungs.size(); ++r) {
    if (planner::NeverFits(state.rungs[r].bytes, budget_, state.limit_bytes)) continue;
    fitting = std::min(fitting.value_or(seen_ms_[m][r]), seen_ms_[m][r]);
  }
  const double load_ms =
      planner::ExpectedLoadMs(fitting.value_or(*std::ranges::min_element(seen_ms_[m])));
  const scheduler::Setup& setup = scheduler_.setup();
  const TimeNs compute =
      setup.models[m].rungs.back().tables.back().Predict(item.texts, item.tokens);
  if (scheduler_.queued() + std::ssize(waiting_) >= setup.max_queued) return false;
  if (!planner::MayWait(load_ms, compute, now, item.deadline)) return false;
  waiting_.push_back(item);
  return true;
}

bool Background::Holds(TimeNs now) const {
  return wanted_split_ != split_ && now < hold_until_;
}

double Background::Speed() const {
  const bool idle = std::ranges::any_of(scheduler_.setup().executors, [](const auto& executor) {
    return executor.enabled && !executor.busy;
  });
  return idle ? 1 : kShareOfBusyCore;
}

TimeNs Background::NextEvent() const {
  if (fixed()) return base::kNeverNs;
  TimeNs next = next_look_;
  const bool wanted = std::ranges::any_of(states_, &planner::ModelState::wanted);
  if (load_ && load_->begun) {
    next = now_ + static_cast<TimeNs>(std::ceil(std::max(load_->left_ns, 0.0) / Speed()));
  } else if (load_) {
    next = load_->next_try;
  } else if (wanted || !to_load_.empty()) {
    next = now_;
  }
  for (const Item& item : waiting_) next = std::min(next, item.deadline);
  return next;
}

void Background::Advance(TimeNs now) {
  if (fixed()) return;
  if (load_ && load_->begun) load_->left_ns -= static_cast<double>(now - now_) * Speed();
  now_ = now;
  Continue(now);
}

// As far as it goes without time passing.
void Background::Continue(TimeNs now) {
  while (true) {
    if (load_ && load_->begun) {
      if (load_->left_ns > 0) return;
      Finish(now);
      return;  // those who waited for it come before anything else
    } else if (load_) {
      if (load_->next_try > now) return;
      const auto result = load_->room.Try([this](RungRef rung) { return Evict(rung); });
      if (result == planner::MakingRoom::kBlocked) {
        load_->next_try = now + planner::MakingRoom::kPauseNs;
        return;
      }
      if (result == planner::MakingRoom::kNone) {
        GiveUp(load_->rung.model);
        load_.reset();
        continue;
      }
      load_->begun = true;
      load_->begun_at = now;
      load_->left_ns = work_ms_[static_cast<std::size_t>(load_->rung.model)]
                               [static_cast<std::size_t>(load_->rung.rung)] *
                       base::kMillisecondNs;
    } else if (!to_load_.empty()) {
      const RungRef rung = to_load_.front();
      to_load_.pop_front();
      load_.emplace(Load{.rung = rung, .room = memory_.RoomFor(states_, rung), .next_try = now});
    } else {
      const bool wanted = std::ranges::any_of(states_, &planner::ModelState::wanted);
      if (!wanted && now < next_look_) return;
      Look(now);
    }
  }
}

void Background::Look(TimeNs now) {
  since_rates_ += now - looked_;
  looked_ = now;
  next_look_ = now + kLookEveryNs;
  const double seconds = static_cast<double>(since_rates_) / base::kSecondNs;
  const bool whole = seconds >= planner::kWholeLookS;
  if (whole) {
    for (planner::ModelState& state : states_) state.demand.Look(seconds);
    since_rates_ = 0;
  }
  const scheduler::Setup& setup = scheduler_.setup();
  for (std::size_t m = 0; m < states_.size(); ++m) {
    for (std::size_t r = 0; r < states_[m].rungs.size(); ++r) {
      states_[m].rungs[r].tables = setup.models[m].rungs[r].tables;
    }
  }
  for (std::size_t m = 0; m < states_.size(); ++m) {
    states_[m].waited_for = IsWaitedFor(static_cast<int>(m));
  }
  if (budget_ > 0) {
    for (const RungRef& rung : memory_.Look(states_, whole, now)) to_load_.push_back(rung);
  }
  if (!whole || !layouts_) return;
  const auto wish = split_keeper_.Look(states_, *layouts_, split_);
  if (!wish) return;
  wanted_split_ = wish->split;
  if (wish->hold) hold_until_ = now + planner::SplitKeeper::kHoldNs;
}

void Background::SwitchSplit(TimeNs now) {
  if (wanted_split_ == split_) return;
  const std::vector<int>& executors = layouts_->splits[static_cast<std::size_t>(wanted_split_)];
  if (!scheduler_.SwitchTo(executors, now)) return;
  split_ = wanted_split_;
  ++switches_;
}

void Background::Finish(TimeNs now) {
  const RungRef rung = load_->rung;
  const auto m = static_cast<std::size_t>(rung.model), r = static_cast<std::size_t>(rung.rung);
  seen_ms_[m][r] =
      std::max(static_cast<double>(now - load_->begun_at) / base::kMillisecondNs, 1e-3);
  states_[m].rungs[r].resident = true;
  states_[m].wanted = false;
  scheduler_.SetResident(rung.model, rung.rung, true);
  ++counts_[m].loads;
  std::erase_if(waiting_, [&](const Item& item) {
    if (item.model == rung.model) released_.ready.push_back(item);
    return item.model == rung.model;
  });
  CountBytes();
  load_.reset();
  next_look_ = now;  // what else would serve better?
}

void Background::CountBytes() {
  std::uint64_t sum = 0;
  for (const planner::ModelState& state : states_) {
    for (const planner::RungState& rung : state.rungs) sum += rung.resident ? rung.bytes : 0;
  }
  most_bytes_ = std::max(most_bytes_, sum);
}

bool Background::IsWaitedFor(int model) const {
  return std::ranges::any_of(waiting_, [&](const Item& item) { return item.model == model; });
}

bool Background::Evict(RungRef rung) {
  if (!scheduler_.Evict(rung.model, rung.rung)) return false;
  State(rung.model).rungs[static_cast<std::size_t>(rung.rung)].resident = false;
  ++counts_[static_cast<std::size_t>(rung.model)].evictions;
  return true;
}

void Background::GiveUp(int model) {
  // Who came since nobody waited is looked at again.
  if (!State(model).waited_for && IsWaitedFor(model)) return;
  State(model).wanted = false;
  std::erase_if(waiting_, [&](const Item& item) {
    if (item.model == model) released_.lost.push_back(item);
    return item.model == model;
  });
}

Background::Released Background::Release(TimeNs now) {
  std::erase_if(waiting_, [&](const Item& item) {
    if (item.deadline <= now) released_.lost.push_back(item);
    return item.deadline <= now;
  });
  return std::exchange(released_, {});
}

Background::Counts Background::counts(int model) const {
  return counts_[static_cast<std::size_t>(model)];
}

}  // namespace hone::sim
