#include "cli/input.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

namespace hone::cli {
namespace {

base::Status EachLine(std::istream& in, const std::string& name,
                      const std::function<void(std::string_view)>& use) {
  std::string line;
  while (std::getline(in, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    use(line);
  }
  // The stream's own failure, or a line that does not fit into memory.
  if (in.bad()) return base::OutOfResource(name, ": cannot read to the end");
  return base::OkStatus();
}

}  // namespace

base::Status ForEachLine(const std::vector<std::string>& files,
                         const std::function<void(std::string_view)>& use) {
  if (files.empty()) return EachLine(std::cin, "standard input", use);
  for (const std::string& file : files) {
    if (file == "-") {
      HONE_RETURN_IF_ERROR(EachLine(std::cin, "standard input", use));
      continue;
    }
    struct stat info {};
    if (stat(file.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
      return base::BadInput(file, ": is a directory, expected a text file");
    }
    std::ifstream in(file);
    if (!in) return base::NotFound(file, ": cannot open: ", std::strerror(errno));
    HONE_RETURN_IF_ERROR(EachLine(in, file, use));
  }
  return base::OkStatus();
}

base::StatusOr<std::vector<std::string>> ReadLines(const std::vector<std::string>& files) {
  std::vector<std::string> lines;
  HONE_RETURN_IF_ERROR(ForEachLine(files, [&](std::string_view line) {
    if (!line.empty()) lines.emplace_back(line);
  }));
  return lines;
}

}  // namespace hone::cli
