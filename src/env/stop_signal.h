// Being asked to stop: SIGTERM (service managers), SIGINT (Ctrl-C), and SIGHUP (the terminal is gone), unless the
// process was started so that it ignores that one (nohup).
#pragma once

namespace hone::env {

// From now on these signals wait for WaitForStopSignal. Call before other threads begin: they inherit it.
void HoldStopSignals();

// Returns at the first of them, which it names ("SIGTERM"). The next one ends the process at once.
const char* WaitForStopSignal();
int WaitForStopSignalNumber();  // the same by its number

// From now on writing to a pipe or socket that nobody reads any more is that write's error (EPIPE), and not the
// end of this process: of its log, for one.
void OutliveReaders();

}  // namespace hone::env
