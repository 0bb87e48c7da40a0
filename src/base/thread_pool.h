// A small fork-join pool: the caller and its workers run one job together, then all have finished.
//
// Workers spin briefly for the next job, since the gap between two operations of a layer is shorter
// than a wake-up, and then park on a futex, so that an idle engine costs nothing.
//
// Owns           threads-1 workers; the caller is worker 0.
// Thread-safety  one caller at a time (an engine owns its pool). Run must not be nested.
// Invariants     1. Run and RunWithHelp return only after every worker has left the job.
//                2. Writes made by a worker in a job are visible to all afterwards.
// Exceptions     the first that leaves a job is thrown again in the caller once all have left it;
//                tasks that others had still to do may be done. A job whose workers wait for each
//                other must not throw.
// Limits         kMaxThreads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <thread>
#include <type_traits>
#include <vector>

namespace hone::base {

// Tells the processor that this is a spin loop.
void SpinPause();

class ThreadPool {
 public:
  static constexpr int kMaxThreads = 256;

  // HONE_CHECKs 1 <= threads <= kMaxThreads.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // What was asked for, or fewer where the system gives no more.
  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls job(worker) once on each of the threads(), worker = 0 .. threads()-1. Allocates nothing.
  template <typename Job>
  void Run(Job&& job) {
    RunErased([](void* context,
                 int worker) { (*static_cast<std::remove_reference_t<Job>*>(context))(worker); },
              const_cast<void*>(static_cast<const void*>(&job)), true);
  }

  // Calls job(0) here, and job(worker) at most once on each worker that arrives before this call is
  // done: a job whose tasks are claimed does not wait for a worker that sleeps, or that the system
  // keeps from its processor. Allocates nothing.
  template <typename Job>
  void RunWithHelp(Job&& job) {
    RunErased([](void* context,
                 int worker) { (*static_cast<std::remove_reference_t<Job>*>(context))(worker); },
              const_cast<void*>(static_cast<const void*>(&job)), false);
  }

  // Calls body(task, worker) for task = 0 .. tasks-1; tasks are handed out one at a time, in order.
  template <typename Body>
  void ParallelFor(int tasks, Body&& body) {
    if (tasks <= 0) return;
    std::atomic<int> next{0};
    RunWithHelp([&](int worker) {
      for (int task = next.fetch_add(1, std::memory_order_relaxed); task < tasks;
           task = next.fetch_add(1, std::memory_order_relaxed)) {
        body(task, worker);
      }
    });
  }

 private:
  using JobFunction = void (*)(void* context, int worker);
  void RunErased(JobFunction function, void* context, bool everyone);
  // Spins, then parks, until the job's word satisfies `done`.
  template <typename Done>
  void WaitForJob(const Done& done);
  bool Enter(std::uint32_t generation);
  void Call(int worker) noexcept;
  void WorkerLoop(int worker);

  std::vector<std::thread> workers_;
  JobFunction function_ = nullptr;
  void* context_ = nullptr;
  alignas(64) std::atomic<std::uint32_t> generation_{0};  // bumped once a job
  // The job that may be entered: its generation, whether it is closed, how many have entered it,
  // how many are inside (thread_pool.cc). function_ and context_ change only while it is closed and
  // empty.
  alignas(64) std::atomic<std::uint64_t> job_{std::uint64_t{1} << 31};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};  // `error_` has been taken
  std::exception_ptr error_;         // the first that left the job
};

}  // namespace hone::base
