// How many compute threads this process may run, and what it costs in memory.
#pragma once

#include <cstdint>
#include <string>

namespace hone::env {

// The smallest of: processors in the affinity mask, and the CPU quota of the cgroup (v1 or v2) and
// of its ancestors, rounded up. At least 1.
int UsableCpus();
// Processors in the affinity mask alone: with a quota below it this process is one of several on them.
int AffinityCpus();

// What the processor calls itself, for people ("Intel(R) Xeon(R) …"); "unknown" where the system does
// not say.
std::string ProcessorName();

// Peak and current resident set of this process, in bytes; 0 where the system does not say.
std::uint64_t PeakResidentBytes();
std::uint64_t ResidentBytes();

}  // namespace hone::env
