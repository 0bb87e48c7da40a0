#include "cli/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/strings.h"

namespace hone::cli {
namespace {

base::Status EachLine(LineReader reader, const std::function<base::Status(std::string_view)>& use) {
  std::string line;
  for (;;) {
    HONE_ASSIGN_OR_RETURN(const bool more, reader.Next(&line));
    if (!more) return base::OkStatus();
    HONE_RETURN_IF_ERROR(use(line));
  }
}

base::StatusOr<int> OpenText(const std::string& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) {
      return base::BadInput(file, ": is a directory, expected a text file");
    }
    if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode)) {
      return base::BadInput(file, ": is a device, expected a text file");
    }
  }
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return base::NotFound(file, ": cannot open: ", std::strerror(errno));
  return descriptor;
}

}  // namespace

base::StatusOr<bool> LineReader::Next(std::string* line) {
  while (!ended_) {
    HONE_ASSIGN_OR_RETURN(const bool whole, TakeBuffered());
    if (whole) {
      GiveLine(line);
      return true;
    }
    HONE_RETURN_IF_ERROR(Fill());
  }
  if (line_.empty()) return false;
  GiveLine(line);
  return true;
}

base::StatusOr<std::vector<std::string>> LineReader::NextLines(std::size_t most) {
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  while (lines.size() < most && bytes < kMostBytes && error_.ok() && !(ended_ && line_.empty())) {
    const base::StatusOr<bool> whole = TakeBuffered();
    if (!whole.ok()) {
      error_ = whole.status();
    } else if (*whole || ended_) {
      GiveLine(&lines.emplace_back());
      bytes += lines.back().size();
    } else if (lines.empty() || MoreIsThere()) {
      error_ = Fill();
    } else {
      break;
    }
  }
  if (lines.empty() && !error_.ok()) return error_;
  return lines;
}

base::StatusOr<bool> LineReader::TakeBuffered() {
  const char* const from = buffer_.data() + begin_;
  const char* const to = buffer_.data() + end_;
  const char* const newline = std::find(from, to, '\n');
  const auto bytes = static_cast<std::size_t>(newline - from);
  if (line_.size() + bytes > kMaxLineBytes) {
    return base::BadInput(name_, ":", number_, ": the line is longer than ",
                          base::WithCommas(kMaxLineBytes), " bytes; expected lines of text");
  }
  line_.append(from, bytes);
  begin_ += bytes + (newline == to ? 0 : 1);
  return newline != to;
}

base::Status LineReader::Fill() {
  ssize_t bytes = 0;
  do {
    bytes = read(descriptor_, buffer_.data(), buffer_.size());
  } while (bytes < 0 && errno == EINTR);
  if (bytes < 0) return base::BadInput(name_, ": cannot read: ", std::strerror(errno));
  begin_ = 0;
  end_ = static_cast<std::size_t>(bytes);
  ended_ = bytes == 0;
  return base::OkStatus();
}

bool LineReader::MoreIsThere() const {
  pollfd input = {.fd = descriptor_, .events = POLLIN, .revents = 0};
  return poll(&input, 1, 0) > 0;
}

void LineReader::GiveLine(std::string* line) {
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  line->swap(line_);
  line_.clear();
  ++number_;
}

base::Status ForEachLine(const std::vector<std::string>& files,
                         const std::function<base::Status(std::string_view)>& use) {
  if (files.empty()) return EachLine(LineReader::StandardInput(), use);
  for (const std::string& file : files) {
    if (file == "-") {
      HONE_RETURN_IF_ERROR(EachLine(LineReader::StandardInput(), use));
      continue;
    }
    HONE_ASSIGN_OR_RETURN(const int descriptor, OpenText(file));
    const base::Status status = EachLine(LineReader(descriptor, file), use);
    close(descriptor);
    HONE_RETURN_IF_ERROR(status);
  }
  return base::OkStatus();
}

void HoldStandardDescriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest that is free, so this one.
    const int opened = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (opened != descriptor && opened >= 0) close(opened);
  }
}

base::StatusOr<std::vector<std::string>> ReadLines(const std::vector<std::string>& files) {
  std::vector<std::string> lines;
  HONE_RETURN_IF_ERROR(ForEachLine(files, [&](std::string_view line) {
    if (!line.empty()) lines.emplace_back(line);
    return base::OkStatus();
  }));
  return lines;
}

}  // namespace hone::cli
