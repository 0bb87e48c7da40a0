// The steps of one forward pass, which all workers go through together.
//
// A step is a number of tasks. Workers claim them one by one; a step is over when every *task* is
// done, not when every worker has arrived: a worker that lost its processor for a while delays
// nobody unless it holds a task, and finds the steps it missed finished when it comes back.
//
// Usage, on every worker alike
//   StepRunner runner(steps);
//   runner.Run(4, [&](int task) { … });   // returns when all 4 are done, by whomever
//   runner.Run(2, …);                     // the next step
//
// Invariants  1. All workers run the same sequence of steps, with the same numbers of tasks.
//             2. What a task wrote is visible to every worker after Run.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace hone::runtime {

struct alignas(64) Step {
  std::atomic<int> next{0};
  std::atomic<int> done{0};
};

// Counters that are made once and reset for each pass.
class Steps {
 public:
  // Before the workers start. Allocates when `count` grows.
  void Reset(int count);
  Step& operator[](int index) { return steps_[static_cast<std::size_t>(index)]; }

 private:
  std::vector<Step> steps_;
};

class StepRunner {
 public:
  explicit StepRunner(Steps& steps) : steps_(steps) {}

  template <typename Body>
  void Run(int tasks, const Body& body) {
    Step& step = steps_[index_++];
    int mine = 0;
    for (int task = step.next.fetch_add(1, std::memory_order_relaxed); task < tasks;
         task = step.next.fetch_add(1, std::memory_order_relaxed)) {
      body(task);
      ++mine;
    }
    if (mine != 0) step.done.fetch_add(mine, std::memory_order_acq_rel);
    if (step.done.load(std::memory_order_acquire) != tasks) Wait(step, tasks);
  }

  // The time spent in Run waiting for others' tasks, where measured.
  std::int64_t wait_ns() const { return wait_ns_; }
  void MeasureWaits() { measure_ = true; }

 private:
  void Wait(const Step& step, int tasks);

  Steps& steps_;
  int index_ = 0;
  bool measure_ = false;
  std::int64_t wait_ns_ = 0;
};

}  // namespace hone::runtime
