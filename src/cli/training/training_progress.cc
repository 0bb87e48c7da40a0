#include "cli/training/training_progress.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <string>

#include "base/strings.h"
#include "env/clock.h"

namespace hone::cli {
namespace {

constexpr std::int64_t kBetweenNs = 200'000'000;

// "42 s", "5 min", "1.5 h"
std::string Time(double seconds) {
  if (seconds < 120) return base::StrCat(base::Fixed(seconds, 0), " s");
  if (seconds < 7200) return base::StrCat(base::Fixed(seconds / 60, 0), " min");
  return base::StrCat(base::Fixed(seconds / 3600, 1), " h");
}

}  // namespace

TrainingProgress::TrainingProgress()
    : terminal_(isatty(STDERR_FILENO) == 1), last_metric_(std::nan("")), last_best_(std::nan("")) {}

void TrainingProgress::Show(const compress::TrainProgress& now) {
  if (!now.note.empty()) {
    Wipe();
    std::fprintf(stderr, "%s\n", now.note.c_str());
    return;
  }
  const bool evaluated =
      !std::isnan(now.metric) && (now.metric != last_metric_ || now.best != last_best_);
  if (evaluated) {
    Wipe();
    std::string line = base::StrCat("step ", now.step, " of ", now.steps, ", epoch ",
                                    base::Fixed(now.epoch, 2), ": ");
    if (now.step > 0) base::StrAppend(&line, "loss ", base::Fixed(now.loss, 4), ", ");
    base::StrAppend(&line, "dev ", base::Fixed(now.metric, 4), ", best ", base::Fixed(now.best, 4));
    if (now.step > 0) base::StrAppend(&line, ", ", Time(now.seconds_left), " left");
    std::fprintf(stderr, "%s\n", line.c_str());
    last_metric_ = now.metric;
    last_best_ = now.best;
  }
  const std::int64_t ns = env::NowNs();
  if (!terminal_ || ns - last_ns_ < kBetweenNs) return;
  last_ns_ = ns;
  Line(now);
}

void TrainingProgress::Line(const compress::TrainProgress& now) {
  shown_ = true;
  std::string line = base::StrCat("step ", now.step, " of ", now.steps, ", epoch ",
                                  base::Fixed(now.epoch, 2), ": loss ", base::Fixed(now.loss, 4));
  if (!std::isnan(now.best)) base::StrAppend(&line, ", best ", base::Fixed(now.best, 4));
  base::StrAppend(&line, ", ", base::Fixed(now.tokens_per_s, 0), " tokens/s, ",
                  Time(now.seconds_left), " left");
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void TrainingProgress::Wipe() {
  if (shown_) std::fprintf(stderr, "\r\033[K");
  shown_ = false;
}

}  // namespace hone::cli
