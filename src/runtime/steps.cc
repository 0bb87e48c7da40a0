#include "runtime/steps.h"

#include <thread>

#include "base/check.h"
#include "base/thread_pool.h"
#include "env/clock.h"

namespace hone::runtime {
namespace {

// About 20 µs at 3 GHz and 40 cycles a pause: a peer's task is nearly done, or it has lost its
// processor, and then the kind thing is to offer it this one.
constexpr int kSpinsBeforeYield = 1500;

}  // namespace

void Steps::Reset(int count, int workers, int most_workers) {
  HONE_CHECK(workers <= most_workers);
  workers_ = workers;
  const auto parts_for = [&](int number) {
    return static_cast<std::size_t>(count) * static_cast<std::size_t>(number);
  };
  if (parts_for(most_workers) > parts_.size()) {
    parts_ = std::vector<StepPart>(parts_for(most_workers));
    return;
  }
  for (std::size_t i = 0; i < parts_for(workers); ++i) {
    parts_[i].claimed.store(0, std::memory_order_relaxed);
    parts_[i].done.store(0, std::memory_order_relaxed);
  }
}

void StepRunner::Wait(const std::atomic<int>& done, int tasks) {
  const std::int64_t start = measure_ ? env::NowNs() : 0;
  for (int spins = 0; done.load(std::memory_order_acquire) != tasks; ++spins) {
    if (spins < kSpinsBeforeYield) {
      base::SpinPause();
    } else {
      std::this_thread::yield();
    }
  }
  if (measure_) wait_ns_ += env::NowNs() - start;
}

}  // namespace hone::runtime
