// Work away from the thread that has it: loading a model from the front's, writing an answer from an executor's.
// One thread, started when first wanted, jobs one after the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hone::server {

// Models that may wait to be loaded or unloaded, in each front; large answers that may wait to be written.
inline constexpr std::size_t kMaxModelsWaiting = 64, kMaxAnswersWaiting = 256;

class Aside {
 public:
  // `name` is the thread's.
  Aside(const char* name, std::size_t max_waiting) : name_(name), max_waiting_(max_waiting) {}
  ~Aside() { Stop(); }
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // False where too many wait, or after Stop.
  bool Run(std::function<void()> job);
  void Stop();  // does what waits, then joins

 private:
  void Work();

  const char* const name_;
  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hone::server
