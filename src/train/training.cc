#include "train/training.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "env/clock.h"
#include "train/batch_loss.h"
#include "train/evaluate.h"
#include "train/log.h"
#include "train/request_text.h"
#include "train/resources.h"
#include "train/result_text.h"
#include "train/schedule.h"
#include "train/state.h"
#include "train/teacher.h"

namespace hone::train {
namespace {

using base::Status;
using base::StatusOr;
using base::StrCat;
using compress::TrainProgress;
using compress::TrainReport;
using compress::TrainRequest;
using compress::TrainResult;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// A killed run loses at most this much, and writing its state costs at most a fiftieth of the time.
constexpr double kSecondsBetweenStates = 60;
constexpr double kStateShare = 1.0 / 50;
// Steps after which time is laid out: the first are slower, while memory is fetched.
constexpr std::int64_t kStepsToMeasure = 20;
constexpr std::int64_t kStepsPerLogRow = 10;
constexpr double kSmoothing = 0.98;

double Seconds(std::int64_t start_ns) {
  return env::MsSince(start_ns) / 1e3;
}

class Training {
 public:
  Training(env::FileSystem& files, const TrainRequest& request, const TrainReport& report,
           Prepared prepared, KeptAnswers* answers)
      : files_(files),
        request_(request),
        report_(report),
        prepared_(std::move(prepared)),
        answers_(answers) {}

  StatusOr<TrainResult> Run();

 private:
  Status Start();
  Status StartTeacher();
  Status Resume();
  Status Step();
  Status NotFinite(std::string_view what, const TrainingBatch& batch);
  Status EvaluateNow();
  Status SaveState();
  Status WriteBest();
  Status LogStep(double rate, double norm);
  StatusOr<TrainResult> Finish();
  bool EvaluationDue() const;
  void LayOutTime();
  void Tell(std::string note = "");

  double EpochsDone() const {
    return static_cast<double>(state_.step) / static_cast<double>(per_epoch_);
  }
  double Spent() const { return seconds_before_ + Seconds(start_ns_); }
  bool has_dev() const { return !request_.dev.empty(); }

  env::FileSystem& files_;
  const TrainRequest& request_;
  const TrainReport& report_;
  Prepared prepared_;
  KeptAnswers* answers_;
  std::unique_ptr<Graph> graph_;
  std::unique_ptr<Teacher> teacher_;
  std::vector<Parameter> parameters_;
  std::unique_ptr<BatchLoss> loss_;
  std::unique_ptr<AdamW> adam_;
  TrainingLog log_;
  RunState state_;
  std::vector<std::vector<std::uint32_t>> batches_;  // of epoch_
  std::int64_t epoch_ = -1, per_epoch_ = 1, planned_ = 1;
  std::int64_t start_ns_ = 0, saved_ns_ = 0, first_step_ = 0;
  double seconds_before_ = 0, step_seconds_ = 0, evaluation_seconds_ = 0, save_seconds_ = 0;
  std::int64_t evaluations_here_ = 0, tokens_ = 0, tokens_logged_ = 0;
  double step_seconds_logged_ = 0;
  std::string metric_;
};

StatusOr<TrainResult> Training::Run() {
  start_ns_ = saved_ns_ = env::NowNs();
  HONE_RETURN_IF_ERROR(Start());
  if (state_.step == 0 && has_dev() && !prepared_.fresh_head && state_.evaluations.empty()) {
    // What the model can do already; training must not make it worse.
    HONE_RETURN_IF_ERROR(EvaluateNow());
  }
  while (state_.step < state_.steps && !state_.finished) {
    HONE_RETURN_IF_ERROR(Step());
    LayOutTime();
    if (has_dev() && EvaluationDue()) {
      HONE_RETURN_IF_ERROR(EvaluateNow());
      HONE_RETURN_IF_ERROR(SaveState());
    } else if (Seconds(saved_ns_) > std::max(kSecondsBetweenStates, save_seconds_ / kStateShare)) {
      HONE_RETURN_IF_ERROR(SaveState());
    }
    Tell();
  }
  return Finish();
}

Status Training::Start() {
  UseThreads(request_.threads);
  const auto items = static_cast<std::int64_t>(prepared_.data.items());
  const std::int64_t count = (items + request_.batch - 1) / request_.batch;
  per_epoch_ = (count + request_.accumulate - 1) / request_.accumulate;
  planned_ = PlannedSteps(request_, per_epoch_);
  state_.request = prepared_.request;
  state_.steps = planned_;
  state_.best = state_.last = kNaN;
  state_.smoothed_loss = kNaN;
  for (const std::string& note : prepared_.notes) Tell(note);
  HONE_RETURN_IF_ERROR(StartTeacher());
  HONE_ASSIGN_OR_RETURN(graph_, Graph::Create(prepared_.draft.model()));
  loss_ = std::make_unique<BatchLoss>(request_, prepared_, graph_.get(), teacher_.get());
  parameters_ = loss_->parameters();
  adam_ = std::make_unique<AdamW>(parameters_, AdamWOptions{.weight_decay = request_.weight_decay});
  HONE_RETURN_IF_ERROR(files_.MakeDirectory(StateDirectory(request_.out)));
  std::int64_t after_step = -1;
  if (request_.resume && files_.IsFile(StatePath(request_.out))) {
    HONE_RETURN_IF_ERROR(Resume());
    after_step = state_.step;
  }
  HONE_ASSIGN_OR_RETURN(log_, TrainingLog::Open(files_, request_.log, after_step));
  first_step_ = state_.step;
  return base::OkStatus();
}

Status Training::StartTeacher() {
  if (!request_.teacher.empty()) {
    HONE_ASSIGN_OR_RETURN(
        teacher_, Teacher::Open(files_, request_, prepared_.draft.model(), *prepared_.tokenizer));
  }
  answers_->For(request_, prepared_);
  HONE_ASSIGN_OR_RETURN(
      Resources resources,
      CheckResources(prepared_, request_, teacher_ ? &teacher_->model() : nullptr));
  Tell(std::move(resources.text));
  if (teacher_) teacher_->Remember(answers_->Memory(teacher_->model().head, resources.answers));
  return base::OkStatus();
}

Status Training::Resume() {
  const std::string path = StatePath(request_.out);
  HONE_ASSIGN_OR_RETURN(RunState state, ReadRunState(files_, path));
  if (const std::string other = FirstDifference(prepared_.request, state.request); !other.empty()) {
    return base::BadInput(path, ": the run to resume was asked for something else: ", other);
  }
  HONE_RETURN_IF_ERROR(RestoreTensors(files_, path, state.step, parameters_, adam_.get()));
  state_ = std::move(state);
  seconds_before_ = state_.seconds;
  Tell(StrCat("going on after step ", state_.step, " of ", state_.steps));
  return base::OkStatus();
}

Status Training::Step() {
  const std::int64_t start = env::NowNs();
  if (const std::int64_t epoch = state_.step / per_epoch_; epoch != epoch_) {
    batches_ = EpochBatches(prepared_.data, request_.batch, request_.seed, epoch);
    epoch_ = epoch;
  }
  const std::int64_t first = state_.step % per_epoch_ * request_.accumulate;
  int count = 0;
  double total = 0;
  TrainingBatch batch;
  for (std::int64_t micro = 0; micro < request_.accumulate; ++micro) {
    const auto index = static_cast<std::size_t>(first + micro);
    if (index >= batches_.size()) break;
    batch = Gather(prepared_.data, batches_[index]);
    if (prepared_.masks) HideWords(*prepared_.masks, request_.seed, epoch_, &batch);
    tokens_ += static_cast<std::int64_t>(batch.ids.size());
    if (prepared_.masks && batch.masked.empty()) continue;  // nothing but special tokens
    adam_->Touch(batch.ids);
    HONE_ASSIGN_OR_RETURN(const double value, loss_->Accumulate(batch, state_.step, micro));
    if (!std::isfinite(value)) return NotFinite("loss", batch);
    total += value;
    ++count;
  }
  const double rate = LearningRate(request_, state_.step, state_.steps);
  double norm = 0;
  if (count > 0) {
    norm = adam_->Step(rate, request_.clip, 1.0 / count);
    if (!std::isfinite(norm)) return NotFinite("gradient", batch);
    const double mean = total / count;
    state_.smoothed_loss = std::isnan(state_.smoothed_loss)
                               ? mean
                               : kSmoothing * state_.smoothed_loss + (1 - kSmoothing) * mean;
  }
  ++state_.step;
  step_seconds_ += Seconds(start);
  return LogStep(rate, norm);
}

Status Training::NotFinite(std::string_view what, const TrainingBatch& batch) {
  // The step that failed has changed nothing yet. Where the state cannot be written the older one
  // stands; what must be said is why the run ends.
  if (state_.step > first_step_) SaveState().IgnoreError();
  std::vector<std::uint32_t> examples;
  for (const std::uint32_t item : batch.items) {
    if (examples.size() < 4) examples.push_back(prepared_.data.example[item] + 1);
  }
  const bool saved = files_.IsFile(StatePath(request_.out));
  return base::BadInput(
      "step ", state_.step + 1, " (epoch ", base::Fixed(EpochsDone(), 2), "): the ", what,
      " is not finite, in the batch of examples ", base::Join(examples, ", "),
      batch.items.size() > examples.size() ? ", …" : "", "; try a lower learning rate than ",
      request_.learning_rate, ", more warm-up, or clip 1",
      state_.best_step >= 0
          ? StrCat("; ", request_.out, " holds the best model, of step ", state_.best_step)
          : "",
      saved ? StrCat("; ", StatePath(request_.out), " the last good state") : "");
}

Status Training::LogStep(double rate, double norm) {
  if (state_.step % kStepsPerLogRow != 0 && state_.step != state_.steps && state_.step != 1) {
    return base::OkStatus();
  }
  const LossMeans means = loss_->TakeMeans();
  const double seconds = step_seconds_ - step_seconds_logged_;
  LogRow row{
      .step = state_.step,
      .epoch = EpochsDone(),
      .loss = means.total,
      .task = means.task,
      .logits = means.logits,
      .hidden = means.hidden,
      .relations = means.relations,
      .consistency = means.consistency,
      .learning_rate = rate,
      .norm = norm,
      .tokens_per_s = static_cast<double>(tokens_ - tokens_logged_) / std::max(seconds, 1e-9),
      .metric = {}};
  tokens_logged_ = tokens_;
  step_seconds_logged_ = step_seconds_;
  return log_.Write(row);
}

bool Training::EvaluationDue() const {
  if (state_.step >= state_.steps) return true;
  const std::int64_t k = request_.evaluations_per_epoch;
  return state_.step * k / per_epoch_ != (state_.step - 1) * k / per_epoch_;
}

Status Training::EvaluateNow() {
  const std::int64_t start = env::NowNs();
  adam_->Settle();
  graph_->Export(&prepared_.draft.weights());
  HONE_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(&prepared_, request_.threads));
  metric_ = evaluation.metric;
  state_.last = evaluation.value;
  state_.evaluations.emplace_back(state_.step, evaluation.value);
  // A correlation of constant predictions is NaN, and worse than anything.
  const bool first = state_.best_step < 0;
  const bool better = first || (!std::isnan(evaluation.value) &&
                                (std::isnan(state_.best) || evaluation.value > state_.best));
  if (better) {
    state_.best = evaluation.value;
    state_.best_step = state_.step;
    state_.worse_in_a_row = 0;
    HONE_RETURN_IF_ERROR(WriteBest());
  } else {
    ++state_.worse_in_a_row;
    if (request_.patience > 0 && state_.worse_in_a_row >= request_.patience) {
      state_.finished = true;
    }
  }
  evaluation_seconds_ += Seconds(start);
  ++evaluations_here_;
  return log_.Write({.step = state_.step,
                     .epoch = EpochsDone(),
                     .metric = metric_,
                     .value = state_.last,
                     .best = state_.best});
}

Status Training::WriteBest() {
  return prepared_.draft.Write(request_.out, {.replace = true});
}

Status Training::SaveState() {
  const std::int64_t start = env::NowNs();
  state_.seconds = Spent();
  adam_->Settle();
  HONE_RETURN_IF_ERROR(WriteState(files_, StatePath(request_.out), state_, parameters_, *adam_));
  saved_ns_ = env::NowNs();
  save_seconds_ = Seconds(start);
  return base::OkStatus();
}

// Cuts the steps to what fits into max_seconds, once they can be timed and after each evaluation.
void Training::LayOutTime() {
  if (request_.max_seconds <= 0) return;
  const std::int64_t here = state_.step - first_step_;
  const double left = request_.max_seconds - Spent();
  const bool over = left <= 0;
  if (!over && here != kStepsToMeasure && !EvaluationDue()) return;
  const double each = step_seconds_ / static_cast<double>(here);
  const double evaluation =
      evaluations_here_ > 0 ? evaluation_seconds_ / static_cast<double>(evaluations_here_) : 0;
  const double per_step =
      evaluation * request_.evaluations_per_epoch / static_cast<double>(per_epoch_);
  state_.steps = StepsThatFit(planned_, state_.step, each + (has_dev() ? per_step : 0), left,
                              has_dev() ? evaluation : 0);
}

void Training::Tell(std::string note) {
  if (!report_) return;
  const std::int64_t here = state_.step - first_step_;
  TrainProgress progress;
  progress.step = state_.step;
  progress.steps = state_.steps;
  progress.epoch = EpochsDone();
  progress.loss = state_.smoothed_loss;
  progress.metric = state_.last;
  progress.best = state_.best;
  if (here > 0) {
    const double spent = Seconds(start_ns_);
    progress.seconds_left =
        spent / static_cast<double>(here) * static_cast<double>(state_.steps - state_.step);
    progress.tokens_per_s = static_cast<double>(tokens_) / std::max(step_seconds_, 1e-9);
  }
  progress.note = std::move(note);
  report_(progress);
}

StatusOr<TrainResult> Training::Finish() {
  if (!has_dev()) {
    adam_->Settle();
    graph_->Export(&prepared_.draft.weights());
    HONE_RETURN_IF_ERROR(prepared_.draft.Bind());
    state_.best_step = state_.step;
  }
  TrainResult result;
  result.metric = metric_;
  if (result.metric.empty() && has_dev()) {
    result.metric = prepared_.task ? std::string(prepared_.task->primary) : "masked_accuracy";
  }
  result.best = state_.best;
  result.last = state_.last;
  result.best_step = state_.best_step;
  result.steps = state_.step;
  result.seconds = Spent();
  result.evaluations = state_.evaluations;
  const compress::WriteOptions options{
      .replace = true,
      .files = {{std::string(kResultFile), ResultText(result, prepared_.request)}}};
  if (has_dev()) {
    // The best weights are those in `out`, which gets the result beside them.
    HONE_ASSIGN_OR_RETURN(const compress::Draft best, compress::Draft::Open(files_, request_.out));
    HONE_RETURN_IF_ERROR(best.Write(request_.out, options));
  } else {
    HONE_RETURN_IF_ERROR(prepared_.draft.Write(request_.out, options));
  }
  HONE_RETURN_IF_ERROR(files_.RemoveTree(StateDirectory(request_.out)));
  return result;
}

}  // namespace

StatusOr<TrainResult> RunTraining(env::FileSystem& files, const TrainRequest& request,
                                  const TrainReport& report, Prepared prepared,
                                  KeptAnswers* answers) {
  return Training(files, request, report, std::move(prepared), answers).Run();
}

}  // namespace hone::train
