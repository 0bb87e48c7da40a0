#include "env/stop_signal.h"

#include <csignal>

namespace hone::env {
namespace {

struct StopSignal {
  int number;
  const char* name;
};
constexpr StopSignal kStopSignals[] = {
    {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"}, {SIGHUP, "SIGHUP"}};

sigset_t Stopping() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const StopSignal& signal : kStopSignals) {
    struct sigaction now = {};
    sigaction(signal.number, nullptr, &now);
    // One that is held waits even where it is ignored.
    if (now.sa_handler != SIG_IGN) sigaddset(&signals, signal.number);
  }
  return signals;
}

}  // namespace

void HoldStopSignals() {
  const sigset_t signals = Stopping();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

int WaitForStopSignalNumber() {
  const sigset_t signals = Stopping();
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  for (const StopSignal& signal : kStopSignals) {
    if (sigismember(&signals, signal.number) == 1) std::signal(signal.number, SIG_DFL);
  }
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  return number;
}

const char* WaitForStopSignal() {
  const int number = WaitForStopSignalNumber();
  const char* name = "";
  for (const StopSignal& signal : kStopSignals) {
    if (signal.number == number) name = signal.name;
  }
  return name;
}

void OutliveReaders() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace hone::env
