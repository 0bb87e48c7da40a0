// A progress line on stderr, for work longer than two seconds, on a terminal only.
#pragma once

#include <cstdint>
#include <string>

namespace hone::cli {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();  // wipes the line

  // Shows done of total, with the time that is left; total 0: unknown.
  void Update(std::int64_t done, std::int64_t total);

  // A line of the caller's own, at once; and a clean line before something is printed.
  void Show(const std::string& line);
  void Clear();

 private:
  std::string what_;
  bool terminal_;
  bool shown_ = false;
  std::int64_t start_ns_, last_ns_;
};

}  // namespace hone::cli
