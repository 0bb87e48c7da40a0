#include "server/dispatch/background.h"

#include <chrono>
#include <utility>

#include "env/clock.h"
#include "env/thread.h"

namespace hone::server {

BackgroundThread::BackgroundThread(std::function<void(double)> look)
    : look_(std::move(look)), thread_([this] { Loop(); }) {}

void BackgroundThread::Wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void BackgroundThread::Run(std::function<void()> job) {
  bool done = false;
  std::unique_lock lock(mutex_);
  if (stopping_) return;
  jobs_.push_back({std::move(job), &done});
  changed_.notify_all();
  changed_.wait(lock, [&] { return done; });
}

void BackgroundThread::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void BackgroundThread::Loop() {
  env::RunInBackground();
  constexpr auto kInterval = std::chrono::seconds(1);
  std::int64_t looked = env::NowNs();
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait_for(lock, kInterval, [&] { return woken_ || stopping_ || !jobs_.empty(); });
    if (!jobs_.empty()) {
      const Job job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job.work();
      lock.lock();
      *job.done = true;
      changed_.notify_all();
      continue;
    }
    if (stopping_) return;
    woken_ = false;
    lock.unlock();
    const double seconds = env::MsSince(looked) * 1e-3;
    looked = env::NowNs();
    look_(seconds);
    lock.lock();
  }
}

}  // namespace hone::server
