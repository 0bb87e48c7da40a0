#include "env/temporaries.h"

#include <csignal>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "env/stop_signal.h"
#include "env/thread.h"

namespace hone::env {
namespace {

struct Known {
  std::mutex mutex;
  std::multiset<std::string> paths;
};

// Never destroyed: the thread that watches outlives main.
Known& All() {
  static Known* const known = new Known;
  return *known;
}

[[noreturn]] void WaitAndRemove() {
  NameThread("stop");
  const int number = WaitForStopSignalNumber();
  Known& known = All();
  // Kept: nobody begins anything new until the process is gone.
  const std::lock_guard lock(known.mutex);
  for (const std::string& path : known.paths) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  raise(number);
  std::_Exit(128 + number);  // where that did not end it
}

}  // namespace

Temporary::Temporary(std::string path) : path_(std::move(path)) {
  Known& known = All();
  const std::lock_guard lock(known.mutex);
  known.paths.insert(path_);
}

Temporary::~Temporary() {
  Known& known = All();
  const std::lock_guard lock(known.mutex);
  known.paths.erase(known.paths.find(path_));
}

void RemoveTemporariesWhenStopped() {
  HoldStopSignals();
  std::thread(WaitAndRemove).detach();
}

}  // namespace hone::env
