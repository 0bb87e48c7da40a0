#include "env/thread.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace hone::env {
namespace {

constexpr int kNicest = 19;

// By number: older C libraries have no function for it.
id_t ThisThread() {
  return static_cast<id_t>(syscall(SYS_gettid));
}

// On Linux a thread has a nice value of its own, as if it were a process.
int Nice() {
  return getpriority(PRIO_PROCESS, ThisThread());
}
void SetNice(int nice) {
  static_cast<void>(setpriority(PRIO_PROCESS, ThisThread(), nice));
}

}  // namespace

void NameThread(const char* name) {
  static_cast<void>(prctl(PR_SET_NAME, name));  // cuts what is longer
}

void RunInBackground() {
  SetNice(kNicest);
  const sched_param none = {};
  static_cast<void>(sched_setscheduler(0, SCHED_IDLE, &none));
}

void RunPatiently() {
  SetNice(std::min(Nice() + 10, kNicest));
}

void RunPromptly() {
  // The kernel's struct sched_attr in its first version (sched_setattr(2)); C libraries before 2.41 lack it.
  struct {
    std::uint32_t size = 48, policy = SCHED_OTHER;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 100'000, deadline_ns = 0, period_ns = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  attributes.nice = Nice();
  static_cast<void>(syscall(SYS_sched_setattr, 0, &attributes, 0));
}

bool StayOnCpu(int index) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || index-- > 0) continue;
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    return sched_setaffinity(0, sizeof only, &only) == 0;
  }
  return false;
}

}  // namespace hone::env
