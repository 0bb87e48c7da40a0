#include "runtime/steps.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "base/thread_pool.h"

namespace hone::runtime {
namespace {

TEST(StepRunner, RunsEveryTaskOnceAndNoStepBeforeTheLast) {
  constexpr int kSteps = 200, kTasks = 7;
  base::ThreadPool pool(3);
  Steps steps;
  for (int pass = 0; pass < 5; ++pass) {
    steps.Reset(kSteps, pool.threads(), pool.threads());
    std::vector<std::array<int, kTasks>> runs(kSteps);  // no atomics: a step orders its writes
    std::atomic<int> too_early{0};
    pool.Run([&](int worker) {
      StepRunner runner(steps, worker);
      for (std::size_t s = 0; s < kSteps; ++s) {
        const auto body = [&](int task) {
          if (s > 0) {
            for (const int count : runs[s - 1]) too_early += count != 1;
          }
          ++runs[s][static_cast<std::size_t>(task)];
        };
        if (s % 2 == 0) {
          runner.Run(kTasks, body);
        } else {
          runner.RunRanges(kTasks, body);
        }
      }
    });
    EXPECT_EQ(too_early.load(), 0);
    for (const auto& step : runs) {
      for (const int count : step) EXPECT_EQ(count, 1);
    }
  }
}

TEST(StepRunner, AWorkerThatComesLateDelaysNobody) {
  base::ThreadPool pool(2);
  Steps steps;
  steps.Reset(3, pool.threads(), pool.threads());
  std::atomic<int> finished{0};
  std::atomic<bool> was_late{false};
  pool.Run([&](int worker) {
    if (worker == 1) {
      // Waits for the other to run all steps alone: with a barrier between steps it never would.
      const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (finished.load() == 0 && std::chrono::steady_clock::now() < limit) {
        std::this_thread::yield();
      }
      was_late = finished.load() == 1;
    }
    StepRunner runner(steps, worker);
    runner.Run(2, [](int) {});
    runner.RunRanges(4, [](int) {});
    runner.RunRanges(1, [](int) {});
    ++finished;
  });
  EXPECT_TRUE(was_late.load());
  EXPECT_EQ(finished.load(), 2);
}

// A pass may take more workers than the one before, and nothing allocates once a model is warm.
TEST(Steps, StayWhereTheyAreWhileWorkersComeAndGo) {
  Steps steps;
  steps.Reset(10, 1, 4);
  const StepPart* first = steps[0];
  for (const int workers : {4, 2, 3, 1}) {
    steps.Reset(10, workers, 4);
    EXPECT_EQ(steps[0], first);
    EXPECT_EQ(steps[9], first + std::ptrdiff_t{9} * workers);
  }
}

TEST(StepRunner, BeginsWithItsOwnRangeInOrder) {
  for (const int workers : {1, 2, 3}) {
    for (const int tasks : {1, 2, 5, 8}) {
      Steps steps;
      steps.Reset(1, workers, workers);
      int begin = 0;
      for (int worker = 0; worker < workers; ++worker) {
        const StepRunner::Range own = StepRunner(steps, worker).OwnRange(tasks);
        EXPECT_EQ(own.begin, begin) << "no task is nobody's";
        begin = own.end;
      }
      EXPECT_EQ(begin, tasks);
      StepRunner last(steps, workers - 1);
      const int own = last.OwnRange(tasks).begin;
      std::vector<int> order, expected;
      last.RunRanges(tasks, [&](int task) { order.push_back(task); });
      for (int i = 0; i < tasks; ++i) expected.push_back((own + i) % tasks);
      EXPECT_EQ(order, expected) << "alone it does the others' too";
    }
  }
}

}  // namespace
}  // namespace hone::runtime
