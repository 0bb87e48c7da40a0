#include "train/trainer.h"

#include <memory>
#include <optional>
#include <utility>

#include "model/model.h"
#include "train/kept_answers.h"
#include "train/prepare.h"
#include "train/resources.h"
#include "train/result_text.h"
#include "train/state.h"
#include "train/training.h"

namespace hone::train {
namespace {

using base::StatusOr;
using compress::TrainReport;
using compress::TrainRequest;
using compress::TrainResult;

StatusOr<TrainResult> Check(env::FileSystem& files, const TrainRequest& request) {
  const std::string state = StateDirectory(request.out);
  const bool was_begun = files.IsDirectory(state);
  HONE_RETURN_IF_ERROR(files.MakeDirectory(state));
  const auto check = [&]() -> base::Status {
    HONE_ASSIGN_OR_RETURN(const Prepared prepared, Prepare(files, request));
    std::optional<model::Model> teacher;
    if (!request.teacher.empty()) {
      HONE_ASSIGN_OR_RETURN(teacher, model::Model::Open(files, request.teacher));
    }
    return CheckResources(prepared, request, teacher ? &*teacher : nullptr).status();
  };
  const base::Status status = check();
  if (!was_begun) HONE_RETURN_IF_ERROR(files.RemoveTree(state));
  if (!status.ok()) return status;
  return TrainResult();
}

// What lies at `out` already: nothing, a run to go on with, or one that has ended.
StatusOr<TrainResult> Train(env::FileSystem& files, const TrainRequest& request,
                            const TrainReport& report, KeptAnswers* answers) {
  if (request.out.empty()) return base::BadInput("there is no output directory");
  if (request.check_only) return Check(files, request);
  const std::string state = StateDirectory(request.out);
  const bool was_begun = files.IsDirectory(state), has_out = files.IsDirectory(request.out);
  if (!request.resume && has_out) {
    return base::BadInput(request.out,
                          ": exists already; choose another name, or --resume the run "
                          "that made it");
  }
  if (!request.resume && files.IsFile(StatePath(request.out))) {
    return base::BadInput(state,
                          ": holds a run that was begun; --resume goes on with it, or remove "
                          "it and begin anew");
  }
  // Without a state it is a run's that had made no step worth keeping.
  if (!request.resume && was_begun) HONE_RETURN_IF_ERROR(files.RemoveTree(state));
  HONE_RETURN_IF_ERROR(files.MakeDirectory(state));
  StatusOr<Prepared> prepared = Prepare(files, request);
  const bool ended = request.resume && has_out && !was_begun;
  if (!prepared.ok() || ended) {
    if (!was_begun) HONE_RETURN_IF_ERROR(files.RemoveTree(state));
    if (!prepared.ok()) return prepared.status();
    return ReadResult(files, request.out, prepared->request);
  }
  return RunTraining(files, request, report, *std::move(prepared), answers);
}

}  // namespace

compress::Trainer MakeTrainer(env::FileSystem& files) {
  return [&files, answers = std::make_shared<KeptAnswers>()](const TrainRequest& request,
                                                             const TrainReport& report) {
    return Train(files, request, report, answers.get());
  };
}

}  // namespace hone::train
