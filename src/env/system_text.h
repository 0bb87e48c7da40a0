// Files of the system that are text of a few lines: /proc, /sys.
#pragma once

#include <string>

namespace hone::env {

// The whole text, or "" where there is none.
std::string ReadSystemText(const std::string& path);

}  // namespace hone::env
