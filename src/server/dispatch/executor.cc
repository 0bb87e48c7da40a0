// The dispatcher's executors: ask the scheduler what to run, run it, hand out what came of it.
#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>

#include "base/check.h"
#include "base/strings.h"
#include "env/clock.h"
#include "server/dispatch/dispatcher.h"

namespace hone::server {
namespace {

using base::TimeNs;

}  // namespace

void Dispatcher::WakeIdle(int most, int except) {
  for (const int e : layouts_.splits[static_cast<std::size_t>(split_)]) {
    Executor& executor = *executors_[static_cast<std::size_t>(e)];
    if (most <= 0) return;
    if (!executor.idle || executor.poked || e == except) continue;
    executor.poked = true;
    executor.wake.notify_one();
    --most;
  }
}

// Promises that were broken while they waited.
void Dispatcher::Expire(TimeNs now, Deliveries* deliveries) {
  for (const scheduler::Item& item : scheduler_.TakeExpired(now)) {
    const Part* part = parts_.Find(item.id);
    HONE_CHECK(part != nullptr);
    const std::shared_ptr<Request> request = part->request;
    parts_.Erase(item.id);
    if (request->answered) continue;
    Fail(request,
         {.kind = FaultKind::kMissed,
          .message = "was accepted, and its deadline passed in the queue"},
         deliveries);
  }
  if (waiting_ > 0) ExpireWaiting(now, deliveries);
}

void Dispatcher::RunExecutor(int index) {
  Executor& me = *executors_[static_cast<std::size_t>(index)];
  Deliveries deliveries;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    SwitchSplit();
    const TimeNs now = env::NowNs();
    std::optional<scheduler::Dispatch> dispatch;
    if (scheduler_.setup().executors[static_cast<std::size_t>(index)].enabled) {
      Expire(now, &deliveries);
      dispatch = scheduler_.Next(index, now);
      if (dispatch && scheduler_.queued() > 0) WakeIdle(1, index);
    }
    if (!deliveries.empty()) {
      // Missed: there is nothing to hurry for, but the batch comes first where there is one.
      if (!dispatch) {
        Deliver(&deliveries, lock);
        continue;
      }
    }
    if (dispatch) {
      RunBatch(index, *dispatch, lock);
      Deliver(&deliveries, lock);
      continue;
    }
    me.idle = true;
    const auto poked = [&] { return me.poked || stopping_; };
    if (scheduler_.queued() + waiting_ > 0 &&
        scheduler_.setup().executors[static_cast<std::size_t>(index)].enabled) {
      // Something waits that may not run yet (a model's share is used up, and fades with time), or for a
      // rung, which may come too late.
      constexpr auto kAskAgain = std::chrono::milliseconds(5);
      me.wake.wait_for(lock, kAskAgain, poked);
    } else {
      me.wake.wait(lock, poked);
    }
    me.idle = me.poked = false;
  }
}

void Dispatcher::RunBatch(int index, const scheduler::Dispatch& dispatch,
                          std::unique_lock<std::mutex>& lock) {
  Executor& me = *executors_[static_cast<std::size_t>(index)];
  ServedModel& model = Model(dispatch.model);
  ServedRung& rung = model.rungs[static_cast<std::size_t>(dispatch.rung)];
  HONE_CHECK(rung.resident());
  std::shared_ptr<runtime::LocalEngine>& place = rung.engines[static_cast<std::size_t>(index)];
  if (place == nullptr) place = rung.packed->Share(me.pool);
  // Held here: the rung may leave memory while it runs.
  std::shared_ptr<runtime::LocalEngine> engine = place;
  const std::shared_ptr<const Endpoint> endpoint = model.endpoint;
  int texts = 0, tokens = 0;  // as the scheduler counts them
  std::int64_t read = 0;      // tokens of the texts
  me.parts.clear();
  for (const scheduler::Item& item : dispatch.items) {
    Part* part = parts_.Find(item.id);
    HONE_CHECK(part != nullptr);
    for (int i = part->begin; i < part->end; ++i) {
      read += std::ssize(part->request->query.texts[static_cast<std::size_t>(i)].ids);
    }
    me.parts.push_back(std::move(*part));
    parts_.Erase(item.id);
    texts += item.texts;
    tokens += item.tokens;
  }
  const std::uint64_t batch = ++batches_;
  ++model.running;
  lock.unlock();
  const TimeNs start = env::NowNs(), thread_start = env::ThreadNs();
  bool ran = true;
  try {
    me.runner.Run(*engine, *endpoint, me.parts);
  } catch (const std::bad_alloc&) {  // these requests fail, the server goes on
    ran = false;
  }
  const TimeNs end = env::NowNs(), computed = env::ThreadNs() - thread_start;
  engine.reset();  // perhaps the last: not under the lock
  lock.lock();

  scheduler_.Finished(index, end);
  --model.running;
  if (ran) {
    rung.totals->texts += texts;
    rung.learnt[static_cast<std::size_t>(layouts_.WidthIndex(index))].Observe(texts, tokens,
                                                                              computed);
    if (dispatch.expected_ns > 0) {
      rung.ratios.Add(static_cast<double>(end - start) / static_cast<double>(dispatch.expected_ns));
    }
  }
  for (Counters* counters : {&counters_, &model.totals->counters}) {
    ++counters->batches;
    counters->texts += ran ? texts : 0;
    counters->tokens += ran ? read : 0;
    counters->busy_s += static_cast<double>(end - start) / base::kSecondNs;
  }
  Deliveries deliveries;
  for (Part& part : me.parts) {
    Request& request = *part.request;
    if (request.last_batch != batch) request.compute_ns += end - start;
    request.last_batch = batch;
    if (!ran && !request.answered) {
      Fail(part.request,
           {.kind = FaultKind::kInternal, .message = "there was not memory enough to compute it"},
           &deliveries);
    }
    FinishPart(part, dispatch.rung, start, end, &deliveries);
  }
  me.parts.clear();
  if (model.closed) wake_();
  quiet_.notify_all();
  Deliver(&deliveries, lock);
}

void Dispatcher::FinishPart(Part& part, int rung, TimeNs start, TimeNs end,
                            Deliveries* deliveries) {
  const std::shared_ptr<Request>& request = part.request;
  --request->parts_left;
  if (request->answered) return;  // cancelled, or another part of it failed
  request->rung = std::max(request->rung, rung);
  request->queue_ns = std::max(request->queue_ns, start - request->query.arrival);
  if (!part.finite) {
    Fail(request,
         {.kind = FaultKind::kInternal,
          .message = base::StrCat("the model \"", request->query.endpoint->name,
                                  "\" gives values that are not finite; its embeddings of these "
                                  "texts' tokens may hold NaN or infinity")},
         deliveries);
  } else if (end > request->deadline) {
    Fail(request,
         {.kind = FaultKind::kMissed,
          .message = base::StrCat(
              "was accepted, and came ",
              static_cast<double>(end - request->deadline) / base::kMillisecondNs, " ms late")},
         deliveries);
  } else if (request->parts_left == 0) {
    Succeed(request, end, deliveries);
  }
}

void Dispatcher::SwitchSplit() {
  if (wanted_split_ == split_) return;
  const std::vector<int>& wanted = layouts_.splits[static_cast<std::size_t>(wanted_split_)];
  if (!scheduler_.SwitchTo(wanted, env::NowNs())) return;
  split_ = wanted_split_;
  quiet_.notify_all();
  // Who waits for a rung wants somebody to see to its deadline.
  WakeIdle(std::max(scheduler_.queued(), waiting_ > 0 ? 1 : 0), -1);
}

}  // namespace hone::server
