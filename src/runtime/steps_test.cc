#include "runtime/steps.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "base/thread_pool.h"

namespace hone::runtime {
namespace {

TEST(StepRunner, RunsEveryTaskOnceAndNoStepBeforeTheLast) {
  constexpr int kSteps = 200, kTasks = 7;
  base::ThreadPool pool(3);
  Steps steps;
  for (int pass = 0; pass < 5; ++pass) {
    steps.Reset(kSteps);
    std::vector<std::array<int, kTasks>> runs(kSteps);  // no atomics: a step orders its writes
    std::atomic<int> too_early{0};
    pool.Run([&](int) {
      StepRunner runner(steps);
      for (std::size_t s = 0; s < kSteps; ++s) {
        runner.Run(kTasks, [&](int task) {
          if (s > 0) {
            for (const int count : runs[s - 1]) too_early += count != 1;
          }
          ++runs[s][static_cast<std::size_t>(task)];
        });
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
  steps.Reset(3);
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
    StepRunner runner(steps);
    for (int s = 0; s < 3; ++s) runner.Run(2, [](int) {});
    ++finished;
  });
  EXPECT_TRUE(was_late.load());
  EXPECT_EQ(finished.load(), 2);
}

}  // namespace
}  // namespace hone::runtime
