// The calling thread, as the system schedules it.
#pragma once

namespace hone::env {

// How the calling thread is called in ps, top -H and /proc: at most 15 bytes of `name`.
void NameThread(const char* name);

// From now on this thread runs only on what the others leave (nice 19 and SCHED_IDLE, which Linux keeps a
// thread): for work that nobody waits for. Does nothing where the system will not.
void RunInBackground();

// From now on this thread, which computes for milliseconds at a time, lets those of this process go first that
// work little at a time: its nice value rises by 10. The fair share of a thread that wakes often is soon used up
// beside one that only computes, and what it has to do then waits for as long as the other likes; beside a
// patient one its share is nine times as large. Other processes are as a rule not concerned: Linux shares a
// machine among control groups, and among sessions (sched_autogroup), before it looks at nice values.
void RunPatiently();

// From now on this thread, which works little at a time, goes before those that compute for long: it asks for
// a tenth of a millisecond at a time (Linux 6.12 and newer wake such a thread first; no privilege needed). Its
// share of a busy machine stays what it was: with a better nice value the kernel balanced two computing threads
// onto one processor, and left the other to this one. Does nothing where the system will not.
void RunPromptly();

// From now on this thread runs on the processor that is number `index` (from 0) of those it may use; returns
// false, and changes nothing, where there are not that many, or the system will not.
bool StayOnCpu(int index);

}  // namespace hone::env
