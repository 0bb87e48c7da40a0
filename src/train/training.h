// One run of training, from its data in memory to the best checkpoint on disk: steps, evaluations, the state that
// a killed run goes on from, and the time laid out (trainer.h says what lies where, and how it ends).
#pragma once

#include "compress/trainer.h"
#include "env/file.h"
#include "train/kept_answers.h"
#include "train/prepare.h"

namespace hone::train {

// Begins anew, or goes on where `request.resume` is set and StateDirectory(request.out), which may exist, holds a
// state. `request`, `report` and `answers` outlive the call.
base::StatusOr<compress::TrainResult> RunTraining(env::FileSystem& files,
                                                  const compress::TrainRequest& request,
                                                  const compress::TrainReport& report,
                                                  Prepared prepared, KeptAnswers* answers);

}  // namespace hone::train
