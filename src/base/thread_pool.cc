#include "base/thread_pool.h"

#include <system_error>
#include <utility>

#include "base/check.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hone::base {
namespace {

// About 50 µs of spinning at 3 GHz and ~40 cycles a pause: longer than the serial parts of a
// forward pass, far shorter than a scheduler tick.
constexpr int kSpins = 4000;

// The job's word, from the highest bits: generation, closed, entered, inside.
constexpr int kGenerationShift = 32;
constexpr std::uint64_t kClosed = std::uint64_t{1} << 31;
constexpr std::uint64_t kEntered = std::uint64_t{1} << 16;
constexpr std::uint64_t kCountMask = 0x7FFF;

}  // namespace

void SpinPause() {
#if defined(__x86_64__)
  _mm_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

ThreadPool::ThreadPool(int threads) {
  HONE_CHECK(threads >= 1 && threads <= kMaxThreads);
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  for (int i = 1; i < threads; ++i) {
    try {
      workers_.emplace_back([this, i] { WorkerLoop(i); });
    } catch (const std::system_error&) {
      break;  // a limit on processes: the threads that there are do all the work
    }
  }
}

ThreadPool::~ThreadPool() {
  stopping_.store(true, std::memory_order_relaxed);
  generation_.fetch_add(1, std::memory_order_release);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

template <typename Done>
void ThreadPool::WaitForJob(const Done& done) {
  std::uint64_t word = job_.load(std::memory_order_acquire);
  for (int spins = 0; !done(word); ++spins) {
    if (spins < kSpins) {
      SpinPause();
    } else {
      job_.wait(word, std::memory_order_acquire);
    }
    word = job_.load(std::memory_order_acquire);
  }
}

void ThreadPool::RunErased(JobFunction function, void* context, bool everyone) {
  if (workers_.empty()) {
    function(context, 0);
    return;
  }
  function_ = function;
  context_ = context;
  // Only this thread writes generation_.
  const std::uint32_t generation = generation_.load(std::memory_order_relaxed) + 1;
  job_.store(std::uint64_t{generation} << kGenerationShift, std::memory_order_release);
  generation_.store(generation, std::memory_order_release);
  generation_.notify_all();
  Call(0);
  if (everyone) {
    const std::uint64_t all = workers_.size();
    WaitForJob([&](std::uint64_t word) { return (word / kEntered & kCountMask) == all; });
  }
  job_.fetch_or(kClosed, std::memory_order_acq_rel);
  WaitForJob([](std::uint64_t word) { return (word & kCountMask) == 0; });
  if (failed_.load(std::memory_order_relaxed)) {
    failed_.store(false, std::memory_order_relaxed);
    std::rethrow_exception(std::exchange(error_, nullptr));
  }
}

// Nothing may leave a worker, where it would end the process, nor the caller while workers are
// inside.
void ThreadPool::Call(int worker) noexcept {
  try {
    function_(context_, worker);
  } catch (...) {
    if (!failed_.exchange(true, std::memory_order_relaxed)) error_ = std::current_exception();
  }
}

bool ThreadPool::Enter(std::uint32_t generation) {
  std::uint64_t word = job_.load(std::memory_order_relaxed);
  do {
    if (word >> kGenerationShift != generation || (word & kClosed) != 0) return false;
  } while (!job_.compare_exchange_weak(word, word + kEntered + 1, std::memory_order_acq_rel,
                                       std::memory_order_relaxed));
  return true;
}

void ThreadPool::WorkerLoop(int worker) {
  std::uint32_t seen = 0;
  while (true) {
    for (int spins = 0; generation_.load(std::memory_order_acquire) == seen; ++spins) {
      if (spins < kSpins) {
        SpinPause();
      } else {
        generation_.wait(seen, std::memory_order_acquire);
      }
    }
    seen = generation_.load(std::memory_order_acquire);
    if (stopping_.load(std::memory_order_relaxed)) return;
    if (!Enter(seen)) continue;  // too late for that job
    Call(worker);
    job_.fetch_sub(1, std::memory_order_acq_rel);
    job_.notify_one();
  }
}

}  // namespace hone::base
