// Lines of text from files or standard input.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::cli {

// A longer line is an error: nobody wrote it, and it would fill memory before it is cut.
inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

// Calls `use` with each line (without its newline) of each file, or of standard input where there
// are no files or a file is "-". Files may be pipes, but no directories or devices.
base::Status ForEachLine(const std::vector<std::string>& files,
                         const std::function<void(std::string_view)>& use);

// All lines, without the empty ones.
base::StatusOr<std::vector<std::string>> ReadLines(const std::vector<std::string>& files);

}  // namespace hone::cli
