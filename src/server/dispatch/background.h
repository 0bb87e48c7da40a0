// The one thread that works on what nobody's deadline waits for: it runs at the lowest priority, looks
// around once a second or when woken, and does jobs one at a time.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hone::server {

class BackgroundThread {
 public:
  // `look(seconds)` is called with the time since the last call, never while a job runs.
  explicit BackgroundThread(std::function<void(double seconds)> look);
  ~BackgroundThread() { Stop(); }
  BackgroundThread(const BackgroundThread&) = delete;
  BackgroundThread& operator=(const BackgroundThread&) = delete;

  void Wake();                          // looks soon; from any thread
  void Run(std::function<void()> job);  // returns when it is done; at once after Stop
  void Stop();                          // finishes what runs

 private:
  void Loop();

  const std::function<void(double)> look_;
  std::mutex mutex_;
  std::condition_variable changed_;
  struct Job {
    std::function<void()> work;
    bool* done;
  };
  std::deque<Job> jobs_;
  bool woken_ = false, stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hone::server
