// What a processor's caches hold, from the files of Linux.
//
// Source  kernel documentation: ABI/testing/sysfs-devices-system-cpu ("cache/index*").
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace hone::env {

struct Caches {
  std::uint64_t own_bytes = 0;   // a processor's part of the second level
  std::uint64_t last_bytes = 0;  // of a level behind that, shared by several; 0 where there is none
};

// Of the first processor.
//   read  gives a file's text, or "" where there is none
// A level that the files do not tell, or not as numbers, counts as 0.
Caches ReadCaches(const std::function<std::string(const std::string&)>& read);

// Of this machine; read once.
const Caches& MachineCaches();

}  // namespace hone::env
