#include "sim/simulation.h"

#include <algorithm>

#include "base/percentile.h"
#include "load/random.h"

namespace hone::sim {
namespace {

using base::TimeNs;
using scheduler::Item;

constexpr std::size_t kBetween = 4096;  // requests from one report of progress to the next

// A batch in flight on one executor.
struct Running {
  bool busy = false;
  TimeNs begin = 0, end = 0;
  scheduler::Dispatch batch;
};

class Simulation {
 public:
  Simulation(const scheduler::Setup& setup, std::unique_ptr<scheduler::Policy> policy,
             const std::vector<SimRequest>& requests, const Machine& machine, std::uint64_t seed,
             const Resources& resources)
      : setup_(setup),
        scheduler_(setup, std::move(policy)),
        background_(resources, &scheduler_),
        requests_(requests),
        machine_(machine),
        random_(seed),
        running_(setup.executors.size()),
        latencies_ms_(setup.models.size()) {
    result_.models.resize(setup.models.size());
  }

  SimResult Run(const SimProgress& progress);

 private:
  TimeNs NextEvent() const;
  void Arrive(const SimRequest& request, std::uint64_t id);
  void Submit(const Item& item, TimeNs now);
  void TakeTimeForFront();
  int Threads(std::size_t executor) const {
    return setup_.widths[static_cast<std::size_t>(setup_.executors[executor].width)];
  }
  void FollowBackground(TimeNs now);
  void Finish(std::size_t executor);
  void Start(std::size_t executor, TimeNs now);
  TimeNs Duration(const scheduler::Dispatch& batch, int width);
  void Sum();
  SimModelResult& Of(int model) { return result_.models[static_cast<std::size_t>(model)]; }

  const scheduler::Setup& setup_;
  scheduler::Scheduler scheduler_;
  Background background_;
  const std::vector<SimRequest>& requests_;
  const Machine machine_;
  load::Random random_;
  std::vector<Running> running_;
  std::vector<std::vector<double>> latencies_ms_;  // of each model's answers
  SimResult result_;
  std::size_t sent_ = 0, front_turn_ = 0;
  std::int64_t batches_ = 0;
};

TimeNs Simulation::NextEvent() const {
  TimeNs next = sent_ < requests_.size() ? requests_[sent_].at : base::kNeverNs;
  for (const Running& running : running_) {
    if (running.busy) next = std::min(next, running.end);
  }
  // The planner looks for ever: only where somebody may still be served.
  if (next == base::kNeverNs && !background_.waiting()) return next;
  return std::min(next, background_.NextEvent());
}

// What a batch really takes, from the setup's tables: the scheduler's own learn from it.
TimeNs Simulation::Duration(const scheduler::Dispatch& batch, int width) {
  int texts = 0, tokens = 0;
  for (const Item& item : batch.items) {
    texts += item.texts;
    tokens += item.tokens;
  }
  const auto& table = setup_.models[static_cast<std::size_t>(batch.model)]
                          .rungs[static_cast<std::size_t>(batch.rung)]
                          .tables[static_cast<std::size_t>(width)];
  TimeNs time = table.Predict(texts, tokens);
  if (machine_.sigma > 0) {  // of mean 1, as the tables hold means
    const double noise = machine_.sigma * random_.Normal();
    time = static_cast<TimeNs>(static_cast<double>(time) *
                               load::Exp(noise - machine_.sigma * machine_.sigma / 2));
  }
  ++batches_;
  if (machine_.stall_every > 0 && batches_ % machine_.stall_every == 0) {
    time += static_cast<TimeNs>(machine_.stall_ms * base::kMillisecondNs);
  }
  return time;
}

void Simulation::Arrive(const SimRequest& request, std::uint64_t id) {
  ++Of(request.model).sent;
  const Item item{.id = id,
                  .model = request.model,
                  .tenant = request.tenant,
                  .priority = request.priority,
                  .arrival = request.at,
                  .deadline = request.deadline,
                  .texts = request.texts,
                  .tokens = request.tokens};
  background_.Asked(item);
  if (background_.Holds(request.at)) {
    ++Of(item.model).refused;
  } else if (background_.Has(item.model)) {
    Submit(item, request.at);
  } else {
    Of(item.model).refused += !background_.Wait(item, request.at);
  }
  TakeTimeForFront();
}

void Simulation::Submit(const Item& item, TimeNs now) {
  Of(item.model).refused += !scheduler_.Submit(item, now).accepted();
}

// Where no core is idle the front takes its time from a batch, one executor after the other; a wide one has
// several threads to make up for it.
void Simulation::TakeTimeForFront() {
  if (machine_.front_ms <= 0) return;
  std::vector<std::size_t> enabled;
  for (std::size_t e = 0; e < running_.size(); ++e) {
    if (!scheduler_.setup().executors[e].enabled) continue;
    if (!running_[e].busy) return;
    enabled.push_back(e);
  }
  const std::size_t slowed = enabled[front_turn_++ % enabled.size()];
  running_[slowed].end +=
      static_cast<TimeNs>(machine_.front_ms * base::kMillisecondNs / Threads(slowed));
}

// Before anything else happens at `now`: until then the executors were as they are.
void Simulation::FollowBackground(TimeNs now) {
  background_.Advance(now);
  const Background::Released released = background_.Release(now);
  for (const Item& item : released.lost) ++Of(item.model).refused;
  for (const Item& item : released.ready) Submit(item, now);
}

void Simulation::Finish(std::size_t executor) {
  Running& running = running_[executor];
  running.busy = false;
  scheduler_.Finished(static_cast<int>(executor), running.end);
  result_.busy += static_cast<double>(running.end - running.begin) * Threads(executor);
  const auto& rung = setup_.models[static_cast<std::size_t>(running.batch.model)]
                         .rungs[static_cast<std::size_t>(running.batch.rung)];
  const TimeNs answered = running.end + setup_.overhead_ns;
  for (const Item& item : running.batch.items) {
    SimModelResult& model = Of(item.model);
    const bool in_time = answered <= item.deadline;
    ++(in_time ? model.ok : model.late);
    model.accuracy += in_time ? rung.accuracy : 0;
    ++model.rungs[rung.name];
    latencies_ms_[static_cast<std::size_t>(item.model)].push_back(
        static_cast<double>(answered - item.arrival) / base::kMillisecondNs);
  }
}

void Simulation::Start(std::size_t executor, TimeNs now) {
  if (running_[executor].busy) return;
  auto batch = scheduler_.Next(static_cast<int>(executor), now);
  if (!batch) return;
  const TimeNs end = now + Duration(*batch, setup_.executors[executor].width);
  running_[executor] = {.busy = true, .begin = now, .end = end, .batch = std::move(*batch)};
}

SimResult Simulation::Run(const SimProgress& progress) {
  for (TimeNs now = NextEvent(); now != base::kNeverNs; now = NextEvent()) {
    FollowBackground(now);
    for (std::size_t e = 0; e < running_.size(); ++e) {
      if (running_[e].busy && running_[e].end <= now) Finish(e);
    }
    for (; sent_ < requests_.size() && requests_[sent_].at <= now; ++sent_) {
      Arrive(requests_[sent_], sent_);
      if (progress && sent_ % kBetween == 0) progress(sent_, requests_.size());
    }
    for (const Item& item : scheduler_.TakeExpired(now)) ++Of(item.model).late;
    background_.SwitchSplit(now);
    for (std::size_t e = 0; e < running_.size(); ++e) Start(e, now);
  }
  // Whatever waits for a rung that is not in memory.
  for (const Item& item : scheduler_.TakeExpired(base::kNeverNs)) ++Of(item.model).late;
  Sum();
  return std::move(result_);
}

void Simulation::Sum() {
  SimModelResult& total = result_.total;
  std::vector<double> all_ms;
  for (std::size_t m = 0; m < result_.models.size(); ++m) {
    SimModelResult& model = result_.models[m];
    total.sent += model.sent;
    total.ok += model.ok;
    total.late += model.late;
    total.refused += model.refused;
    total.accuracy += model.accuracy;
    model.loads = background_.counts(static_cast<int>(m)).loads;
    model.evictions = background_.counts(static_cast<int>(m)).evictions;
    total.loads += model.loads;
    total.evictions += model.evictions;
    for (const auto& [name, count] : model.rungs) total.rungs[name] += count;
    all_ms.insert(all_ms.end(), latencies_ms_[m].begin(), latencies_ms_[m].end());
    if (model.ok > 0) model.accuracy /= static_cast<double>(model.ok);
    model.p50_ms = base::Percentile(latencies_ms_[m], 0.5);
    model.p99_ms = base::Percentile(latencies_ms_[m], 0.99);
  }
  total.p50_ms = base::Percentile(all_ms, 0.5);
  total.p99_ms = base::Percentile(all_ms, 0.99);
  const TimeNs last = std::max(requests_.back().at - requests_.front().at, base::kMillisecondNs);
  result_.seconds = static_cast<double>(last) / base::kSecondNs;
  result_.goodput_per_s = static_cast<double>(total.ok) / result_.seconds;
  result_.accuracy_goodput_per_s = total.accuracy / result_.seconds;
  if (total.ok > 0) total.accuracy /= static_cast<double>(total.ok);
  TimeNs end = last;
  for (const Running& running : running_) {
    end = std::max(end, running.end - requests_.front().at);
  }
  int threads = 0;
  for (std::size_t e = 0; e < running_.size(); ++e) {
    threads += setup_.executors[e].enabled ? Threads(e) : 0;
  }
  result_.busy /= static_cast<double>(end) * std::max(threads, 1);
  result_.switches = background_.switches();
  result_.most_bytes = background_.most_bytes();
}

}  // namespace

base::StatusOr<SimResult> Simulate(const scheduler::Setup& setup, const std::string& policy,
                                   const std::vector<SimRequest>& requests, const Machine& machine,
                                   std::uint64_t seed, const Resources& resources,
                                   const SimProgress& progress) {
  HONE_ASSIGN_OR_RETURN(auto made, scheduler::MakePolicy(policy));
  if (requests.empty()) return base::BadInput("no request to simulate");
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const SimRequest& request = requests[i];
    if (i > 0 && request.at < requests[i - 1].at) {
      return base::BadInput("request ", i, ": comes before the one ahead of it");
    }
    if (request.model < 0 || request.model >= static_cast<int>(setup.models.size())) {
      return base::BadInput("request ", i, ": there is no model ", request.model);
    }
    if (request.texts < 1 || request.tokens < request.texts) {
      return base::BadInput("request ", i, ": ", request.texts, " texts of ", request.tokens,
                            " tokens");
    }
  }
  HONE_RETURN_IF_ERROR(CheckMemory(resources.memory, setup));
  return Simulation(setup, std::move(made), requests, machine, seed, resources).Run(progress);
}

}  // namespace hone::sim
