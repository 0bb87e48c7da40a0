// The calling thread, as the system schedules it.
#pragma once

namespace hone::env {

// How the calling thread is called in ps, top -H and /proc: at most 15 bytes of `name`.
void NameThread(const char* name);

// From now on this thread runs only on what the others leave (nice 19, which Linux keeps a thread):
// for work that nobody waits for. Does nothing where the system will not.
void RunInBackground();

// From now on this thread, which works little at a time, goes before those that compute for long: it asks for
// a tenth of a millisecond at a time (Linux 6.12 and newer wake such a thread first; no privilege needed). Its
// share of a busy machine stays what it was: with a better nice value the kernel balanced two computing threads
// onto one processor, and left the other to this one. Does nothing where the system will not.
void RunPromptly();

// From now on this thread runs on the processor that is number `index` (from 0) of those it may use; returns
// false, and changes nothing, where there are not that many, or the system will not.
bool StayOnCpu(int index);

}  // namespace hone::env
