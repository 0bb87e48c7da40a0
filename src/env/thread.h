// The calling thread, as the system schedules it.
#pragma once

namespace hone::env {

// From now on this thread runs only on what the others leave (nice 19, which Linux keeps a thread):
// for work that nobody waits for. Does nothing where the system will not.
void RunInBackground();

}  // namespace hone::env
