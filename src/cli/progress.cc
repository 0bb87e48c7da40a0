#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

namespace hone::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kQuiet(2000);   // shorter work needs no line
constexpr milliseconds kBetween(100);  // a terminal need not be written to more often

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
}

void Progress::Update(std::int64_t done, std::int64_t total) {
  const steady_clock::time_point now = steady_clock::now();
  if (shown_ && done == total) {
    std::fprintf(stderr, "\r\033[K");  // finished: what is printed next finds a clean line
    shown_ = false;
    return;
  }
  if (!terminal_ || now - start_ < kQuiet || now - last_ < kBetween) return;
  last_ = now;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  if (total > 0 && done > 0) {
    const double left = seconds * static_cast<double>(total - done) / static_cast<double>(done);
    std::fprintf(stderr, "\r\033[K%s: %lld of %lld (%.0f %%), %.0f s left", what_.c_str(),
                 static_cast<long long>(done), static_cast<long long>(total),
                 100.0 * static_cast<double>(done) / static_cast<double>(total), left);
  } else {
    std::fprintf(stderr, "\r\033[K%s: %lld, %.0f s", what_.c_str(), static_cast<long long>(done),
                 seconds);
  }
  std::fflush(stderr);
}

}  // namespace hone::cli
