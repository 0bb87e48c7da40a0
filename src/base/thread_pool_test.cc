#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <new>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace hone::base {
namespace {

TEST(ThreadPool, RunCallsEachWorkerOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int round = 0; round < 50; ++round) {
      std::vector<int> calls(static_cast<std::size_t>(threads));
      pool.Run([&](int worker) { ++calls[static_cast<std::size_t>(worker)]; });
      for (const int n : calls) ASSERT_EQ(n, 1);
    }
  }
}

// Plain ints: the thread sanitizer sees any write that Run does not order before its return.
TEST(ThreadPool, WritesAreVisibleAfterRunAndToTheNextRun) {
  ThreadPool pool(4);
  std::vector<std::int64_t> values(4, 1);
  for (int round = 0; round < 200; ++round) {
    pool.Run([&](int worker) { values[static_cast<std::size_t>((worker + round) % 4)] += round; });
    const std::int64_t sum = std::accumulate(values.begin(), values.end(), std::int64_t{0});
    ASSERT_EQ(sum, 4 + 4 * (round * (round + 1) / 2));
  }
}

TEST(ThreadPool, ParallelForDoesEveryTaskOnce) {
  ThreadPool pool(3);
  for (const int tasks : {0, 1, 2, 3, 17, 1000}) {
    std::vector<std::atomic<int>> done(static_cast<std::size_t>(tasks));
    pool.ParallelFor(tasks, [&](int task, int worker) {
      EXPECT_GE(worker, 0);
      EXPECT_LT(worker, 3);
      done[static_cast<std::size_t>(task)].fetch_add(1);
    });
    for (const auto& n : done) ASSERT_EQ(n.load(), 1);
  }
}

// Longer than the workers spin, so that they park and must be woken.
TEST(ThreadPool, WakesParkedWorkers) {
  ThreadPool pool(3);
  std::atomic<int> calls{0};
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.Run([&](int worker) {
      // A late worker makes the caller park too.
      if (worker == 2) std::this_thread::sleep_for(std::chrono::milliseconds(3));
      calls.fetch_add(1);
    });
  }
  EXPECT_EQ(calls.load(), 15);
}

// The job is over when the caller's part is: nobody waits for workers that did not come.
TEST(ThreadPool, HelpersCallAtMostOnceAndNeverAfterwards) {
  for (const int threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 3000; ++round) {
      std::vector<int> calls(static_cast<std::size_t>(threads));  // plain: a late one would race
      pool.RunWithHelp([&](int worker) { ++calls[static_cast<std::size_t>(worker)]; });
      EXPECT_EQ(calls[0], 1);
      for (const int n : calls) ASSERT_LE(n, 1);
      // Run right after it still reaches everyone, whatever job they came from.
      if (round % 100 == 0) {
        std::atomic<int> all{0};
        pool.Run([&](int) { all.fetch_add(1); });
        ASSERT_EQ(all.load(), threads);
      }
    }
  }
}

TEST(ThreadPool, HelpersThatAreInsideAreWaitedFor) {
  ThreadPool pool(2);
  int helped = 0;
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> inside{false};
    bool left = false;
    pool.RunWithHelp([&](int worker) {
      if (worker == 0) {
        for (int i = 0; i < 1000000 && !inside.load(); ++i) SpinPause();
        return;
      }
      inside.store(true);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      left = true;
    });
    EXPECT_EQ(left, inside.load());
    helped += left ? 1 : 0;
  }
  EXPECT_GT(helped, 0);
}

TEST(ThreadPool, ThrowsAWorkersExceptionInTheCallerOnceAllHaveLeft) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for (int guilty = 0; guilty < threads; ++guilty) {
      std::vector<int> done(static_cast<std::size_t>(threads));  // plain: a late one would race
      EXPECT_THROW(pool.Run([&](int worker) {
        if (worker == guilty) throw std::bad_alloc();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        done[static_cast<std::size_t>(worker)] = 1;
      }),
                   std::bad_alloc);
      EXPECT_EQ(std::accumulate(done.begin(), done.end(), 0), threads - 1);
    }
    // All at once: one is thrown, and the next job knows nothing of it.
    EXPECT_THROW(pool.ParallelFor(100, [](int, int) { throw std::runtime_error("task"); }),
                 std::runtime_error);
    std::atomic<int> calls{0};
    pool.Run([&](int) { calls.fetch_add(1); });
    EXPECT_EQ(calls.load(), threads);
  }
}

TEST(ThreadPool, StartsAndStopsWithoutAJob) {
  for (int i = 0; i < 20; ++i) ThreadPool pool(4);
}

TEST(ThreadPoolDeathTest, RefusesAbsurdThreadCounts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(ThreadPool(0), "check failed");
  EXPECT_DEATH(ThreadPool(ThreadPool::kMaxThreads + 1), "check failed");
}

}  // namespace
}  // namespace hone::base
