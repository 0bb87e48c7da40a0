// Work that takes long (loading a model) away from the front's thread: one thread, started when first
// wanted, jobs one after the other.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hone::server {

class Aside {
 public:
  static constexpr std::size_t kMaxWaiting = 64;

  Aside() = default;
  ~Aside();  // does what waits, then joins
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;

  // False where too many wait.
  bool Run(std::function<void()> job);

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hone::server
