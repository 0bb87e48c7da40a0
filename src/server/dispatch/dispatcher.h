// Takes queries, drives the scheduler with the real clock, and runs what it decides on the executors.
//
// Usage
//   Dispatcher dispatcher(options, layouts, std::move(policy), [&] { background.Wake(); });
//   dispatcher.AddModel(std::move(model));   // before Start or later
//   dispatcher.Start();
//   dispatcher.Submit(std::move(query), done);
//
// Threads     one an executor, with a pool of its width; an idle one sleeps on a condition variable.
//             Submit runs on its caller's thread: it checks, cuts the query into parts, asks the
//             scheduler, and wakes an executor.
// Invariants  1. Every query's `done` is called exactly once, never under the lock.
//             2. A model is removed only when nothing of it is queued or running.
//             3. Executors of two splits never run at the same time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/thread_pool.h"
#include "env/clock.h"
#include "planner/layouts.h"
#include "planner/split_keeper.h"
#include "scheduler/scheduler.h"
#include "server/dispatch/front_delay.h"
#include "server/dispatch/request.h"
#include "server/dispatch/run_batch.h"
#include "server/dispatch/served_model.h"
#include "server/dispatch/slot_map.h"
#include "server/models/load_rung.h"
#include "server/models/open_model.h"
#include "server/service.h"

namespace hone::server {

class Dispatcher {
 public:
  // `wake` is called (under the lock: it must only wake somebody) when a query waits for a model none of whose
  // rungs is in memory, and when a closed model may be removed.
  Dispatcher(const ServiceOptions& options, planner::Layouts layouts,
             std::unique_ptr<scheduler::Policy> policy, std::function<void()> wake);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  const planner::Layouts& layouts() const { return layouts_; }
  // The pool of an executor: nobody else's once Start was called.
  std::shared_ptr<base::ThreadPool> pool(int executor) const {
    return executors_[static_cast<std::size_t>(executor)]->pool;
  }
  void Start();
  // What runs is finished, what waits is answered with kUnavailable. Nothing runs after it.
  void Stop();

  Ticket Submit(Query query, Done done);
  void Cancel(Ticket ticket);
  void Sent(base::TimeNs after) { front_delay_.Sent(after, env::NowNs()); }
  bool Drain(double seconds);
  // What is accepted and not answered yet is answered with kUnavailable; how many that were.
  int GiveUpAll();

  // ---- models (dispatcher_models.cc)
  std::shared_ptr<const Endpoint> AddModel(NewModel model);
  // It takes no more queries. Those it accepted are answered, which may take as long as their deadlines.
  void CloseModel(int model);
  // Forgets the closed models that have nothing left to answer. `wake` is called when one may have become so.
  void RemoveClosed();
  void RungLoading(int model, int rung);
  void RungLoaded(int model, int rung, const LoadedRung& loaded);
  void RungFailed(int model, int rung, const std::string& error);
  // Queries that wait for a rung of the model are answered with kUnavailable. False, and nothing is done, where
  // some do although nobody was `waited_for` when that was decided.
  bool GiveUp(int model, const std::string& error, bool waited_for);
  // False where an accepted query may need the rung: try again after a while.
  bool Evict(int model, int rung);

  // What plans memory and cores reads: visits every model that is there, under the lock.
  void VisitModels(const std::function<void(int number, ServedModel& model,
                                            const scheduler::Model& scheduled)>& visit);
  // Asks for a split: it comes into force at a moment when nothing runs and all that waits, which was
  // promised with the one before, would be in time with it too. With `hold` nothing is accepted meanwhile,
  // for a tenth of a second at most: a machine that has too much to do may have no such moment by itself.
  // True where it is in force.
  bool WantSplit(int split, bool hold);
  int split() const;

  void AddStatus(ServiceStatus* status) const;

 private:
  struct Executor {
    std::shared_ptr<base::ThreadPool> pool;
    std::thread thread;
    std::condition_variable wake;
    bool idle = false, poked = false;
    BatchRunner runner;
    std::vector<Part> parts;  // of the running batch
  };
  struct Delivery {
    Done done;
    Reply reply;
  };
  using Deliveries = std::vector<Delivery>;

  ServedModel& Model(int number) { return *models_[static_cast<std::size_t>(number)]; }
  ServedModel* Find(const Endpoint& endpoint);

  // Under the lock: a fault where it is not accepted.
  std::optional<Fault> Accept(const std::shared_ptr<Request>& request, base::TimeNs now);
  std::optional<Fault> Enqueue(const std::shared_ptr<Request>& request, base::TimeNs now);
  std::optional<Fault> WaitForRung(const std::shared_ptr<Request>& request, base::TimeNs now);
  void Cut(const std::shared_ptr<Request>& request, std::vector<scheduler::Item>* items);
  Fault Refused(const scheduler::Admission& admission, const Request& request) const;
  int TenantNumber(const std::string& tenant);
  void EndWaiting(ServedModel& model, base::TimeNs now, const std::string& error,
                  Deliveries* deliveries);
  // Those whose deadline has passed while their rung was being loaded.
  void ExpireWaiting(base::TimeNs now, Deliveries* deliveries);

  // Under the lock: the request is answered and its queued parts leave the scheduler.
  void Fail(const std::shared_ptr<Request>& request, Fault fault, Deliveries* deliveries);
  void Succeed(const std::shared_ptr<Request>& request, base::TimeNs now, Deliveries* deliveries);
  void Forget(Request& request);
  void Expire(base::TimeNs now, Deliveries* deliveries);

  void StayOnCores(int index);
  void RunExecutor(int index);
  void RunBatch(int index, const scheduler::Dispatch& dispatch, std::unique_lock<std::mutex>& lock);
  void FinishPart(Part& part, int rung, base::TimeNs start, base::TimeNs end,
                  Deliveries* deliveries);
  static void Deliver(Deliveries* deliveries, std::unique_lock<std::mutex>& lock);
  void WakeIdle(int most, int except);
  void SwitchSplit();

  const ServiceOptions& options_;
  const planner::Layouts layouts_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::condition_variable quiet_;  // something was answered or ended
  scheduler::Scheduler scheduler_;
  std::vector<std::unique_ptr<ServedModel>> models_;            // by number; null: removed
  std::map<std::string, std::shared_ptr<ModelTotals>> totals_;  // by name
  std::vector<std::unique_ptr<Executor>> executors_;
  SlotMap<std::shared_ptr<Request>> requests_;
  SlotMap<Part> parts_;
  std::unordered_map<std::string, int> tenants_;
  FrontDelay front_delay_;
  Counters counters_;
  std::uint64_t batches_ = 0;
  int waiting_ = 0;                  // requests, for rungs
  std::uint64_t answers_bytes_ = 0;  // of accepted requests
  int split_ = 0, wanted_split_ = 0;
  bool accepting_ = true, stopping_ = false;
  bool holding_ = false;  // for another split
};

}  // namespace hone::server
