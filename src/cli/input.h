// Lines of text from files or standard input.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::cli {

// Calls `use` with each line (without its newline) of each file, or of standard input where there
// are no files or a file is "-".
base::Status ForEachLine(const std::vector<std::string>& files,
                         const std::function<void(std::string_view)>& use);

// All lines, without the empty ones.
base::StatusOr<std::vector<std::string>> ReadLines(const std::vector<std::string>& files);

}  // namespace hone::cli
