#include "env/thread.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hone::env {

void RunInBackground() {
  // gettid by number: older C libraries have no function for it. On Linux "process" means thread.
  const auto thread = static_cast<id_t>(syscall(SYS_gettid));
  constexpr int kLowest = 19;
  static_cast<void>(setpriority(PRIO_PROCESS, thread, kLowest));
}

}  // namespace hone::env
