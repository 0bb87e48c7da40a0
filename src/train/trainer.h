// Training as compression and `hone train` ask for it (compress/trainer.h), by libtorch.
//
// Usage
//   compress::Trainer trainer = train::MakeTrainer(env::RealFileSystem());
//   HONE_ASSIGN_OR_RETURN(compress::TrainResult best, trainer(request, progress));
//
// Files   request.out            the best checkpoint so far, an artefact; "training.json" in it tells
//                                request and result once the run has ended
//         request.out.training/  what a killed run needs to go on; gone once it has ended
// Resume  gives the bits of a run that was never killed, for the same threads and libraries, unless
//         max_seconds laid it out anew. A run that has ended gives its result again.
// Errors  CheckRequest's, Prepare's, too little memory or disk, a loss that is not finite: the message
//         says what to do, and what is on disk stays good.
// Memory  what a teacher said is kept for the next run of the same Trainer, if that has the same
//         teacher and texts.
// Limits  one run at a time in a process: libtorch's threads are the process's.
#pragma once

#include "compress/trainer.h"
#include "env/file.h"

namespace hone::train {

compress::Trainer MakeTrainer(env::FileSystem& files);

}  // namespace hone::train
