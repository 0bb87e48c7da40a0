// Lines of text from files or standard input.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace hone::cli {

// A longer line is an error: nobody wrote it, and it would fill memory before it is cut.
inline constexpr std::size_t kMaxLineBytes = std::size_t{64} << 20;

// The lines that a descriptor gives, read as they are asked for. Not a stream, which takes an error for
// the end, and a line without end into memory.
class LineReader {
 public:
  // `name` is what errors call it. The descriptor stays the caller's.
  LineReader(int descriptor, std::string name)
      : descriptor_(descriptor), name_(std::move(name)), buffer_(kBufferBytes) {}
  static LineReader StandardInput() { return LineReader(0, "standard input"); }

  // The next line, without its newline; false at the end.
  base::StatusOr<bool> Next(std::string* line);
  // The next lines, at most `most` and about kMostBytes: those that have come already, and only where
  // none has is one waited for. None at the end. An error comes after the lines before it.
  base::StatusOr<std::vector<std::string>> NextLines(std::size_t most);

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{64} << 10;  // what a pipe holds

  static constexpr std::size_t kMostBytes = std::size_t{1} << 20;

  // Puts what is in the buffer, up to a newline, behind line_; true where the line is whole.
  base::StatusOr<bool> TakeBuffered();
  // Reads into the empty buffer, or sets ended_.
  base::Status Fill();
  // Whether Fill would not wait.
  bool MoreIsThere() const;
  void GiveLine(std::string* line);

  int descriptor_;
  std::string name_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what is in it
  std::string line_;                 // as far as it has come
  std::int64_t number_ = 1;          // of that line
  bool ended_ = false;
  base::Status error_;  // that NextLines owes
};

// Calls `use` with each line (without its newline) of each file, or of standard input where there
// are no files or a file is "-", until `use` gives an error. Files may be pipes, but no directories or
// devices.
base::Status ForEachLine(const std::vector<std::string>& files,
                         const std::function<base::Status(std::string_view)>& use);

// Puts something that can be neither read nor written where standard input, output or errors are closed:
// the next file opened, such as a model, would take their place.
void HoldStandardDescriptors();

// All lines, without the empty ones.
base::StatusOr<std::vector<std::string>> ReadLines(const std::vector<std::string>& files);

}  // namespace hone::cli
