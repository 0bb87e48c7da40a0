#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include "env/clock.h"

namespace hone::cli {
namespace {

constexpr std::int64_t kQuietNs = 2'000'000'000;  // shorter work needs no line
constexpr std::int64_t kBetweenNs = 100'000'000;  // a terminal need not be written to more often

}  // namespace

Progress::Progress(std::string what)
    : what_(std::move(what)),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_ns_(env::NowNs()),
      last_ns_(start_ns_) {}

Progress::~Progress() {
  Clear();
}

void Progress::Clear() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

void Progress::Show(const std::string& line) {
  const std::int64_t now_ns = env::NowNs();
  if (!terminal_ || now_ns - last_ns_ < kBetweenNs) return;
  last_ns_ = now_ns;
  shown_ = true;
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void Progress::Update(std::int64_t done, std::int64_t total) {
  const std::int64_t now_ns = env::NowNs();
  if (total > 0 && done >= total) {
    Clear();  // finished: what is printed next finds a clean line
    return;
  }
  if (!terminal_ || now_ns - start_ns_ < kQuietNs || now_ns - last_ns_ < kBetweenNs) return;
  last_ns_ = now_ns;
  shown_ = true;
  const double seconds = static_cast<double>(now_ns - start_ns_) * 1e-9;
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
