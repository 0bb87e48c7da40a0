// What is written aside before it is renamed into place, so that a process that is told to stop half-way leaves
// none of it behind.
//
// Usage
//   env::RemoveTemporariesWhenStopped();   // once, before other threads begin
//   const env::Temporary mine(path);       // a file, or a directory with all that is in it
#pragma once

#include <string>

namespace hone::env {

// Known from here on until it is destroyed; whoever made the path removes or renames it otherwise.
class Temporary {
 public:
  explicit Temporary(std::string path);
  ~Temporary();
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

 private:
  const std::string path_;
};

// From now on SIGTERM, SIGINT and SIGHUP (stop_signal.h) remove what is known at that moment and then end the
// process as they would have. Not for a process that waits for these signals itself.
void RemoveTemporariesWhenStopped();

}  // namespace hone::env
