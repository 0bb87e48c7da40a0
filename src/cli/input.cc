#include "cli/input.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "base/strings.h"

namespace hone::cli {
namespace {

// Not std::getline, which knows no limit.
base::Status ReadEachLine(std::istream& in, const std::string& name,
                          const std::function<void(std::string_view)>& use) {
  std::string line;
  std::int64_t number = 1;
  const auto take = [&] {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    use(line);
    line.clear();
    ++number;
  };
  std::streambuf& bytes = *in.rdbuf();
  for (int c = bytes.sbumpc(); c != std::char_traits<char>::eof(); c = bytes.sbumpc()) {
    if (c == '\n') {
      take();
    } else if (line.size() == kMaxLineBytes) {
      return base::BadInput(name, ":", number, ": the line is longer than ",
                            base::WithCommas(kMaxLineBytes), " bytes; expected lines of text");
    } else {
      line += static_cast<char>(c);
    }
  }
  if (!line.empty()) take();
  return base::OkStatus();
}

base::Status EachLine(std::istream& in, const std::string& name,
                      const std::function<void(std::string_view)>& use) {
  try {
    return ReadEachLine(in, name, use);
  } catch (const std::ios_base::failure&) {
    return base::OutOfResource(name, ": cannot read to the end");
  }
}

// std::cin takes what cannot be read for the end.
base::Status EachLineOfStandardInput(const std::function<void(std::string_view)>& use) {
  const std::string name = "standard input";
  struct stat info {};
  if (fstat(STDIN_FILENO, &info) != 0) {
    return base::BadInput(name, ": cannot read: ", std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return base::BadInput(name, ": is a directory, expected text");
  HONE_RETURN_IF_ERROR(EachLine(std::cin, name, use));
  if (std::ferror(stdin) != 0) return base::OutOfResource(name, ": cannot read to the end");
  return base::OkStatus();
}

}  // namespace

base::Status ForEachLine(const std::vector<std::string>& files,
                         const std::function<void(std::string_view)>& use) {
  if (files.empty()) return EachLineOfStandardInput(use);
  for (const std::string& file : files) {
    if (file == "-") {
      HONE_RETURN_IF_ERROR(EachLineOfStandardInput(use));
      continue;
    }
    struct stat info {};
    if (stat(file.c_str(), &info) == 0) {
      if (S_ISDIR(info.st_mode)) {
        return base::BadInput(file, ": is a directory, expected a text file");
      }
      if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
        return base::BadInput(file, ": is a device, expected a text file");
      }
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
