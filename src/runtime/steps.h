// The steps of one forward pass, which all workers go through together.
//
// A step is a number of tasks. Workers claim them one by one; a step is over when every *task* is
// done, not when every worker has arrived: a worker that lost its processor for a while delays
// nobody unless it holds a task, and finds the steps it missed finished when it comes back.
//
// Usage, on every worker alike
//   steps.Reset(2, workers, workers);     // before, by one of them
//   StepRunner runner(steps, worker);
//   runner.Run(4, [&](int task) { … });   // returns when all 4 are done, by whomever
//   runner.RunRanges(8, …);               // the next step: each worker begins with its own range
//
// Invariants  1. All workers run the same sequence of steps, with the same numbers of tasks.
//             2. What a task wrote is visible to every worker after Run.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hone::runtime {

// One worker's part of a step, on a cache line of its own.
struct alignas(64) StepPart {
  std::atomic<int> claimed{0};  // of this worker's range
  std::atomic<int> done{0};     // of all tasks; the first worker's part counts for all
};

// Counters that are made once and reset for each pass.
class Steps {
 public:
  // Before the workers start. Allocates when `count` · `most_workers` grows: whoever lets the number of workers
  // change from pass to pass names the largest.
  void Reset(int count, int workers, int most_workers);
  int workers() const { return workers_; }
  // The parts of a step, one a worker.
  StepPart* operator[](int index) {
    return parts_.data() + static_cast<std::ptrdiff_t>(index) * workers_;
  }

 private:
  int workers_ = 0;
  std::vector<StepPart> parts_;
};

class StepRunner {
 public:
  StepRunner(Steps& steps, int worker) : steps_(steps), worker_(worker) {}

  // Tasks in their order, by whoever comes.
  template <typename Body>
  void Run(int tasks, const Body& body) {
    StepPart* parts = steps_[index_++];
    int mine = 0;
    ClaimAll(parts[0], {0, tasks}, body, &mine);
    Finish(parts[0].done, tasks, mine);
  }

  struct Range {
    int begin, end;
  };
  // The tasks with which a worker begins in RunRanges.
  Range OwnRange(int tasks) const { return RangeOf(worker_, tasks); }

  // Each worker takes its own range of tasks in order, and then what others have not begun: it mostly works
  // on what follows what it worked on before.
  template <typename Body>
  void RunRanges(int tasks, const Body& body) {
    StepPart* parts = steps_[index_++];
    const int workers = steps_.workers();
    int mine = 0;
    for (int i = 0, worker = worker_; i < workers; ++i) {
      ClaimAll(parts[worker], RangeOf(worker, tasks), body, &mine);
      if (++worker == workers) worker = 0;
    }
    Finish(parts[0].done, tasks, mine);
  }

  // The time spent in Run waiting for others' tasks, where measured.
  std::int64_t wait_ns() const { return wait_ns_; }
  void MeasureWaits() { measure_ = true; }

 private:
  Range RangeOf(int worker, int tasks) const {
    const int workers = steps_.workers();
    return {tasks * worker / workers, tasks * (worker + 1) / workers};
  }
  template <typename Body>
  static void ClaimAll(StepPart& part, Range range, const Body& body, int* mine) {
    const int size = range.end - range.begin;
    // Looking costs others less than claiming in vain.
    while (part.claimed.load(std::memory_order_relaxed) < size) {
      const int claimed = part.claimed.fetch_add(1, std::memory_order_relaxed);
      if (claimed >= size) return;
      body(range.begin + claimed);
      ++*mine;
    }
  }
  void Finish(std::atomic<int>& done, int tasks, int mine) {
    if (mine != 0) done.fetch_add(mine, std::memory_order_acq_rel);
    if (done.load(std::memory_order_acquire) != tasks) Wait(done, tasks);
  }
  void Wait(const std::atomic<int>& done, int tasks);

  Steps& steps_;
  const int worker_;
  int index_ = 0;
  bool measure_ = false;
  std::int64_t wait_ns_ = 0;
};

}  // namespace hone::runtime
