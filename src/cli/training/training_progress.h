// How a training run shows itself on stderr: notes and evaluations as lines, and on a terminal one
// line that tells where the run is.
#pragma once

#include <cstdint>

#include "compress/trainer.h"

namespace hone::cli {

class TrainingProgress {
 public:
  TrainingProgress();
  void Show(const compress::TrainProgress& now);
  void Wipe();  // the line on the terminal

 private:
  void Line(const compress::TrainProgress& now);

  bool terminal_;
  bool shown_ = false;
  std::int64_t last_ns_ = 0;
  double last_metric_, last_best_;
};

}  // namespace hone::cli
