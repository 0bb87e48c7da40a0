// The dispatcher's models: added, removed, their rungs loaded and evicted, and what is told of them.
#include <algorithm>
#include <chrono>
#include <optional>

#include "base/check.h"
#include "base/strings.h"
#include "env/clock.h"
#include "planner/cold_start.h"
#include "planner/residency.h"
#include "server/dispatch/answer_size.h"
#include "server/dispatch/dispatcher.h"
#include "server/dispatch/histogram.h"

namespace hone::server {
namespace {

using base::TimeNs;

scheduler::Model Scheduled(const NewModel& model) {
  scheduler::Model result;
  result.name = model.options.name;
  for (std::size_t r = 0; r < model.rungs.size(); ++r) {
    result.rungs.push_back({.name = model.rungs[r].name,
                            .accuracy = model.rungs[r].accuracy,
                            .resident = model.packed[r] != nullptr,
                            .tables = model.tables[r]});
  }
  result.max_texts = model.options.max_texts;
  result.max_tokens = std::max(model.options.max_batch_tokens, model.endpoint.max_tokens);
  result.reserved_cores = model.options.reserved_cores;
  if (model.options.limit_cores > 0) {
    result.limit_cores = model.options.limit_cores;
    result.max_executors = std::max(1, static_cast<int>(model.options.limit_cores));
  }
  return result;
}

// It is tried again, later each time: what keeps a file from being read may pass.
void Failed(TimeNs now, ServedRung* rung) {
  constexpr TimeNs kFirst = 2 * base::kSecondNs, kMost = 300 * base::kSecondNs;
  constexpr int kMostDoublings = 8;
  rung->retry_at = now + std::min(kFirst << std::min(rung->failures, kMostDoublings), kMost);
  ++rung->failures;
}

}  // namespace

std::shared_ptr<const Endpoint> Dispatcher::AddModel(NewModel model) {
  auto served = std::make_unique<ServedModel>();
  served->options = model.options;
  for (std::size_t r = 0; r < model.rungs.size(); ++r) {
    ServedRung& rung = served->rungs.emplace_back();
    rung.files = model.rungs[r];
    rung.info = model.infos[r];
    rung.packed = model.packed[r];
    rung.engines.resize(executors_.size());
    rung.load_work_ms =
        planner::LoadWorkMs(rung.info.load.load_ms(), rung.info.load.threads, rung.info.bytes);
    for (const planner::LatencyTable& table : model.tables[r]) rung.learnt.emplace_back(table);
  }
  served->content = std::move(model.content);
  served->measured = std::move(model.measured);
  const TimeNs now = env::NowNs();
  const std::lock_guard lock(mutex_);
  std::shared_ptr<ModelTotals>& totals = totals_[model.options.name];
  if (totals == nullptr) {
    totals = std::make_shared<ModelTotals>();
    totals->queue = totals->compute = totals->total = MakeHistogram();
  }
  served->totals = totals;
  for (ServedRung& rung : served->rungs) {
    rung.totals = &totals->rungs[rung.info.name];
    if (rung.info.state == RungState::kFailed) Failed(now, &rung);
  }
  model.endpoint.number = scheduler_.AddModel(Scheduled(model));
  const auto number = static_cast<std::size_t>(model.endpoint.number);
  if (number == models_.size()) models_.emplace_back();
  HONE_CHECK(models_[number] == nullptr);
  served->endpoint = std::make_shared<const Endpoint>(std::move(model.endpoint));
  models_[number] = std::move(served);
  return models_[number]->endpoint;
}

void Dispatcher::CloseModel(int number) {
  std::unique_lock lock(mutex_);
  ServedModel& model = Model(number);
  model.closed = true;
  Deliveries deliveries;
  EndWaiting(model, env::NowNs(), "the model is being unloaded", &deliveries);
  Deliver(&deliveries, lock);
}

void Dispatcher::RemoveClosed() {
  std::vector<std::unique_ptr<ServedModel>> removed;  // after the lock: that takes milliseconds
  const std::lock_guard lock(mutex_);
  for (int number = 0; number < static_cast<int>(models_.size()); ++number) {
    std::unique_ptr<ServedModel>& model = models_[static_cast<std::size_t>(number)];
    if (!model || !model->closed || model->running > 0 || scheduler_.queued(number) > 0) continue;
    scheduler_.RemoveModel(number);
    removed.push_back(std::move(model));
  }
}

std::optional<Fault> Dispatcher::WaitForRung(const std::shared_ptr<Request>& request, TimeNs now) {
  ServedModel& model = Model(request->query.endpoint->number);
  const Fault fault{.kind = FaultKind::kUnavailable,
                    .message = base::StrCat("the model \"", model.endpoint->name,
                                            "\" is not in memory; it is being loaded"),
                    .field = {}};
  const scheduler::Model& scheduled =
      scheduler_.setup().models[static_cast<std::size_t>(model.endpoint->number)];
  // Of those that fit; where none does, whoever waits is told why.
  std::optional<double> least_of_fitting, least_of_all;
  TimeNs retry_at = base::kNeverNs;
  for (const ServedRung& rung : model.rungs) {
    if (!rung.MayBeLoaded(now)) {
      retry_at = std::min(retry_at, rung.retry_at);
      continue;
    }
    const double load_ms = planner::ExpectedLoadMs(rung.load_work_ms);
    least_of_all = std::min(least_of_all.value_or(load_ms), load_ms);
    if (planner::NeverFits(rung.info.bytes, options_.memory_bytes, model.options.limit_bytes)) {
      continue;
    }
    least_of_fitting = std::min(least_of_fitting.value_or(load_ms), load_ms);
  }
  if (!least_of_all) {
    return Fault{.kind = FaultKind::kUnavailable,
                 .message = base::StrCat("no rung of \"", model.endpoint->name,
                                         "\" could be loaded; see /v1/hone/models"),
                 .retry_after_s =
                     static_cast<double>(retry_at - now) / static_cast<double>(base::kSecondNs)};
  }
  const double least_ms = least_of_fitting.value_or(*least_of_all);
  model.wanted = true;
  wake_();
  int tokens = 0;
  for (const text::Encoding& text : request->query.texts) {
    tokens += WorkTokens(*model.endpoint, text);
  }
  const TimeNs compute = scheduled.rungs.back().tables.back().Predict(
      static_cast<int>(request->query.texts.size()), tokens);
  if (scheduler_.queued() + waiting_ >= options_.max_queued) {
    return Fault{
        .kind = FaultKind::kRefused, .message = "the queue is full", .retry_after_s = 0.05};
  }
  if (!planner::MayWait(least_ms, compute, now, request->deadline)) {
    Fault busy = fault;
    busy.retry_after_s = std::max(least_ms * 1e-3, 0.05);
    return busy;
  }
  request->ticket = requests_.Add(request);
  model.waiting.push_back(request->ticket);
  ++waiting_;
  WakeIdle(1, -1);  // somebody must see to its deadline
  return std::nullopt;
}

void Dispatcher::ExpireWaiting(TimeNs now, Deliveries* deliveries) {
  for (const auto& model : models_) {
    if (!model) continue;
    const std::vector<std::uint64_t> waiting = model->waiting;
    for (const std::uint64_t ticket : waiting) {
      const std::shared_ptr<Request>& request = *requests_.Find(ticket);
      if (request->deadline > now) continue;
      Fail(request,
           {.kind = FaultKind::kUnavailable,
            .message = base::StrCat("the model \"", model->endpoint->name,
                                    "\" could not be loaded in time"),
            .retry_after_s = 1},
           deliveries);
    }
  }
}

void Dispatcher::EndWaiting(ServedModel& model, TimeNs now, const std::string& error,
                            Deliveries* deliveries) {
  std::vector<std::uint64_t> tickets;
  tickets.swap(model.waiting);
  waiting_ -= static_cast<int>(tickets.size());
  model.wanted = false;
  for (const std::uint64_t ticket : tickets) {
    const std::shared_ptr<Request> request = *requests_.Find(ticket);
    std::optional<Fault> fault;
    if (!error.empty()) {
      fault = Fault{.kind = FaultKind::kUnavailable, .message = error, .retry_after_s = 1};
    } else {
      fault = Enqueue(request, now);
      // The load used the time up. The rung is there now: the next one will be quicker.
      if (fault && fault->retry_after_s == 0) {
        fault->kind = FaultKind::kUnavailable;
        fault->retry_after_s = 0.01;
      }
    }
    if (fault) Fail(request, *std::move(fault), deliveries);
  }
}

void Dispatcher::RungLoading(int model, int rung) {
  const std::lock_guard lock(mutex_);
  Model(model).rungs[static_cast<std::size_t>(rung)].info.state = RungState::kLoading;
}

void Dispatcher::RungLoaded(int number, int index, const LoadedRung& loaded) {
  std::unique_lock lock(mutex_);
  ServedModel& model = Model(number);
  ServedRung& rung = model.rungs[static_cast<std::size_t>(index)];
  rung.packed = loaded.engine;
  rung.info.state = RungState::kReady;
  rung.info.error.clear();
  rung.failures = 0;
  ++rung.totals->loads;
  rung.info.load = loaded.phases;
  rung.info.bytes = loaded.bytes;
  rung.info.format = loaded.format;
  rung.load_work_ms =
      planner::LoadWorkMs(loaded.phases.load_ms(), loaded.phases.threads, loaded.bytes);
  scheduler_.SetResident(number, index, true);
  Deliveries deliveries;
  EndWaiting(model, env::NowNs(), "", &deliveries);
  Deliver(&deliveries, lock);
}

void Dispatcher::RungFailed(int number, int index, const std::string& error) {
  std::unique_lock lock(mutex_);
  ServedModel& model = Model(number);
  ServedRung& rung = model.rungs[static_cast<std::size_t>(index)];
  rung.info.state = RungState::kFailed;
  rung.info.error = error;
  const TimeNs now = env::NowNs();
  Failed(now, &rung);
  Deliveries deliveries;
  const bool others =
      std::ranges::any_of(model.rungs, [&](const ServedRung& r) { return r.MayBeLoaded(now); });
  if (!others) EndWaiting(model, env::NowNs(), error, &deliveries);
  Deliver(&deliveries, lock);
}

bool Dispatcher::GiveUp(int number, const std::string& error, bool waited_for) {
  std::unique_lock lock(mutex_);
  ServedModel& model = Model(number);
  if (!waited_for && !model.waiting.empty()) return false;
  Deliveries deliveries;
  EndWaiting(model, env::NowNs(), error, &deliveries);
  Deliver(&deliveries, lock);
  return true;
}

bool Dispatcher::Evict(int number, int index) {
  // Freed after the lock, for which accepted queries wait: giving a hundred megabytes back takes milliseconds.
  std::shared_ptr<const runtime::LocalEngine> packed;
  std::vector<std::shared_ptr<runtime::LocalEngine>> engines;
  const std::lock_guard lock(mutex_);
  ServedModel& model = Model(number);
  ServedRung& rung = model.rungs[static_cast<std::size_t>(index)];
  if (!rung.resident()) return true;
  if (!scheduler_.Evict(number, index)) return false;
  packed = std::move(rung.packed);
  engines.resize(rung.engines.size());
  engines.swap(rung.engines);
  rung.info.state = RungState::kOnDisk;
  ++rung.totals->evictions;
  return true;
}

void Dispatcher::VisitModels(
    const std::function<void(int, ServedModel&, const scheduler::Model&)>& visit) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < models_.size(); ++i) {
    if (models_[i]) visit(static_cast<int>(i), *models_[i], scheduler_.setup().models[i]);
  }
}

bool Dispatcher::WantSplit(int split, bool hold) {
  std::unique_lock lock(mutex_);
  wanted_split_ = split;
  SwitchSplit();
  if (split_ == split || !hold) return split_ == split;
  holding_ = true;
  constexpr std::chrono::nanoseconds kHold(planner::SplitKeeper::kHoldNs);
  quiet_.wait_for(lock, kHold, [&] { return split_ == split || stopping_; });
  holding_ = false;
  return split_ == split;
}

int Dispatcher::split() const {
  const std::lock_guard lock(mutex_);
  return split_;
}

void Dispatcher::AddStatus(ServiceStatus* status) const {
  const TimeNs now = env::NowNs();
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < models_.size(); ++i) {
    if (!models_[i]) continue;
    const ServedModel& model = *models_[i];
    if (model.closed) {  // another one may have its name; its memory is in use still
      for (const ServedRung& rung : model.rungs) {
        if (rung.resident()) status->resident_bytes += rung.info.bytes;
      }
      continue;
    }
    const scheduler::Model& scheduled = scheduler_.setup().models[i];
    ModelStatus& to = status->models.emplace_back();
    to.endpoint = model.endpoint;
    // On demand too.
    to.ready =
        model.any_resident() || std::ranges::any_of(model.rungs, [&](const ServedRung& rung) {
          return options_.memory_bytes > 0 && rung.MayBeLoaded(now) &&
                 !planner::NeverFits(rung.info.bytes, options_.memory_bytes,
                                     model.options.limit_bytes);
        });
    to.counters = model.totals->counters;
    to.queue = model.totals->queue;
    to.compute = model.totals->compute;
    to.total = model.totals->total;
    const int tokens = std::clamp(model.demand.TypicalTokens() / model.demand.TypicalTexts(), 1,
                                  model.endpoint->max_tokens);
    for (std::size_t r = 0; r < model.rungs.size(); ++r) {
      const ServedRung& rung = model.rungs[r];
      RungInfo& info = to.rungs.emplace_back(rung.info);
      info.served = rung.totals->texts;
      info.loads = rung.totals->loads;
      info.evictions = rung.totals->evictions;
      const TimeNs expected = scheduled.rungs[r].tables.back().Predict(1, tokens);
      info.p50_ms = static_cast<double>(expected) / base::kMillisecondNs;
      info.p95_ms = info.p50_ms * rung.ratios.Percentile95(rung.files.p95_ratio);
      if (rung.resident()) to.resident_bytes += info.bytes;
      if (!info.error.empty() && !to.ready) to.error = info.error;
    }
    status->resident_bytes += to.resident_bytes;
  }
  status->counters = counters_;
  status->policy = std::string(scheduler_.policy().name());
  status->executors = layouts_.WidthsOf(split_);
  status->queued = scheduler_.queued() + waiting_;
  status->reserve_ms = static_cast<double>(scheduler_.reserve_ns()) / base::kMillisecondNs;
}

}  // namespace hone::server
