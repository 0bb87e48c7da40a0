// Being asked to stop: SIGTERM (service managers) and SIGINT (Ctrl-C).
#pragma once

namespace hone::env {

// From now on these signals wait for WaitForStopSignal. Call before other threads begin: they inherit it.
void HoldStopSignals();

// Returns at the first of them, which it names ("SIGTERM"). The next one ends the process at once.
const char* WaitForStopSignal();

}  // namespace hone::env
