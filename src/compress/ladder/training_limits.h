// How far one training of a ladder may go. It is planned from what is left of the budget and from how
// fast the machine just was, so a command that is given again would plan otherwise, and the trainer
// goes on only with what was asked for before: the first plan is kept beside the training.
#pragma once

#include <string>

#include "base/status.h"
#include "env/file.h"

namespace hone::compress {

struct TrainingLimits {
  double epochs = 1;
  double max_seconds = 0;  // 0: none
};

// The limits in the file, where it is there; else `planned`, which is written to it. An error names
// the file.
base::StatusOr<TrainingLimits> KeepLimits(env::FileSystem& files, const std::string& path,
                                          const TrainingLimits& planned);

}  // namespace hone::compress
