// What the machine has left, asked before long work begins.
#pragma once

#include <cstdint>
#include <string>

namespace hone::env {

// Bytes that this process may still write below `path` (its nearest parent that exists); the largest
// number where the system does not say.
std::uint64_t FreeDiskBytes(const std::string& path);

// Bytes of memory that can be had without swapping: the smaller of the system's estimate and what
// the control group has left; the largest number where the system does not say.
std::uint64_t AvailableMemoryBytes();

}  // namespace hone::env
