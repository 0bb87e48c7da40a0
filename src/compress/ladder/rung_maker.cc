#include "compress/ladder/rung_maker.h"

#include <algorithm>
#include <cmath>

#include "compress/ladder/training_limits.h"
#include "compress/latency/measure_profile.h"
#include "compress/prune/drop_layers.h"
#include "compress/prune/narrow.h"
#include "compress/prune/refit.h"
#include "compress/quantize.h"

namespace hone::compress {

using base::Status;
using base::StatusOr;

std::string RungMaker::NameOf(const PruneTarget& target) {
  const double value = target.speedup > 0 ? target.speedup : target.latency_ms;
  return base::StrCat(value, target.speedup > 0 ? "x" : "ms");
}

StatusOr<const std::vector<BlockSnapshots>*> RungMaker::Snapshots(const PruneStage& stage,
                                                                  const std::string& rung,
                                                                  const std::string& in,
                                                                  Draft& draft) {
  if (snapshots_of_ == in) return &snapshots_;
  snapshots_of_.clear();
  HONE_ASSIGN_OR_RETURN(texts_, CalibrationTexts(job_, static_cast<std::size_t>(stage.samples),
                                                 job_.request.seed + 1));
  const std::int64_t start = job_.tools.now_ns();
  HONE_ASSIGN_OR_RETURN(snapshots_,
                        TakeSnapshots(draft, texts_, OptionsFor(stage, rung, draft.model())));
  job_.News(base::StrCat(rung, ": what to remove of each of ", snapshots_.size(),
                         " blocks, found in ",
                         SayDuration(static_cast<double>(job_.tools.now_ns() - start) * 1e-9)));
  snapshots_of_ = in;
  return &snapshots_;
}

PruneOptions RungMaker::OptionsFor(const PruneStage& stage, const std::string& rung,
                                   const model::Model& model) {
  PruneOptions options;
  options.magnitude = stage.method == PruneMethod::kMagnitude;
  options.wanted = SelectedBlocks(stage.modules, model);
  options.threads = job_.request.work_threads;
  options.isa = job_.request.isa;
  options.progress = [this, rung](int done, int total) {
    job_.Say(rung + ": removing structures", static_cast<double>(done) / total);
  };
  return options;
}

StatusOr<const DeviceProfile*> RungMaker::ProfileFor(const model::Model& model,
                                                     const std::string& rung) {
  const int width = model.config.width;
  if (width == job_.profile.width) return &job_.profile;
  const auto known = profiles_.find(width);
  if (known != profiles_.end()) return &known->second;
  if (job_.elsewhere) {
    return base::BadInput(job_.request.device_profile, ": is for models of width ",
                          job_.profile.width, "; the recipe narrows this one to ", width);
  }
  HONE_ASSIGN_OR_RETURN(
      MeasuredProfile measured,
      MeasureProfile(model,
                     {.workload = job_.rig->workload(),
                      .formats = job_.formats,
                      .isa = job_.request.isa,
                      .seed = job_.request.seed},
                     [&](double done) { job_.Say(rung + ": measuring this device", done); }));
  return &(profiles_[width] = std::move(measured.profile));
}

Status RungMaker::RefitPruned(const PruneStage& stage, const std::string& rung, const Draft& draft,
                              const std::vector<BlockSnapshots>& snapshots, PrunedDraft* pruned) {
  HONE_ASSIGN_OR_RETURN(Draft refitted, Refit(draft, ShapesOf(draft, snapshots, pruned->assignment),
                                              texts_, OptionsFor(stage, rung, draft.model())));
  HONE_ASSIGN_OR_RETURN(const double loss, Judges(snapshots).loss(refitted, pruned->formats));
  job_.News(base::StrCat(rung, ": refitted from bottom to top, loss ", base::Fixed(pruned->loss, 4),
                         " to ", base::Fixed(loss, 4)));
  if (!(loss < pruned->loss)) return base::OkStatus();
  pruned->draft = std::move(refitted);
  pruned->loss = loss;
  return base::OkStatus();
}

void RungMaker::ForgetPoints(const std::string& rung, const std::string& stage) {
  std::erase_if(job_.ladder.points, [&](const LadderPoint& point) {
    return point.rung == rung && point.stage == stage;
  });
}

StatusOr<bool> RungMaker::IsDone(const Stage& stage, const std::string& in) {
  const auto* narrow = std::get_if<NarrowStage>(&stage.what);
  const auto* drop = std::get_if<DropLayersStage>(&stage.what);
  if (narrow == nullptr && drop == nullptr) return false;
  HONE_ASSIGN_OR_RETURN(const model::Model model, model::Model::Open(job_.tools.files, in));
  return narrow != nullptr ? model.config.width <= narrow->width
                           : model.config.layer_count() <= drop->layers;
}

// What a candidate is timed with is what its rung will be written as; it is judged in the same formats.
runtime::EngineOptions RungMaker::EngineFor(const model::Model& model,
                                            const std::vector<BlockSnapshots>& snapshots,
                                            const BlockFormats& formats) const {
  runtime::EngineOptions options = job_.engine();
  options.format = job_.formats.front();
  options.formats = FormatsByModule(model, snapshots, formats);
  if (const auto* quantize = FindStage<QuantizeStage>(job_.request.recipe)) {
    for (const std::string& module : LeftInFloat(quantize->modules, model)) {
      options.formats[module] = quant::Format::kF32;
    }
  }
  return options;
}

CandidateJudges RungMaker::Judges(const std::vector<BlockSnapshots>& snapshots) {
  CandidateJudges judges;
  judges.time = [this, &snapshots](const Draft& draft,
                                   const BlockFormats& formats) -> StatusOr<TimedPair> {
    const runtime::EngineOptions options = EngineFor(draft.model(), snapshots, formats);
    HONE_ASSIGN_OR_RETURN(const auto engine, runtime::LocalEngine::Load(draft.model(), options));
    HONE_ASSIGN_OR_RETURN(
        const LatencyPair pair,
        job_.rig->Time(*engine, draft.model(),
                       FormsOf(draft.model(), options.formats, *options.format), job_.timing_s));
    return TimedPair{pair.dense.p50_ms, pair.candidate.p50_ms};
  };
  judges.loss = [this, &snapshots](const Draft& draft, const BlockFormats& formats) {
    runtime::EngineOptions options = EngineFor(draft.model(), snapshots, formats);
    options.threads = job_.request.work_threads;
    return job_.loss->Of(draft.model(), options);
  };
  return judges;
}

Status RungMaker::Prune(const PruneStage& stage, const PruneTarget& target, const std::string& rung,
                        const std::string& in, const std::string& out) {
  HONE_ASSIGN_OR_RETURN(Draft draft, Draft::Open(job_.tools.files, in));
  HONE_ASSIGN_OR_RETURN(const DeviceProfile* const profile, ProfileFor(draft.model(), rung));
  HONE_ASSIGN_OR_RETURN(const std::vector<BlockSnapshots>* const snapshots,
                        Snapshots(stage, rung, in, draft));
  PruneToTargetOptions options;
  options.formats = job_.formats;
  options.candidates = job_.plan.candidates > 0 ? std::min(job_.plan.candidates, stage.candidates)
                                                : stage.candidates;
  options.seed = job_.request.seed;
  for (const char* told : {"search", "prune"}) ForgetPoints(rung, told);
  // The plan's limit is of the search alone; what the timing of candidates takes is planned apart.
  CandidateJudges judges = Judges(*snapshots);
  std::int64_t searching_ns = 0;
  judges.loss = [this, &searching_ns, loss = std::move(judges.loss)](const Draft& candidate,
                                                                     const BlockFormats& formats) {
    const std::int64_t start = job_.tools.now_ns();
    StatusOr<double> result = loss(candidate, formats);
    searching_ns += job_.tools.now_ns() - start;
    return result;
  };
  if (job_.plan.search_s > 0) {
    options.stop = [this, &searching_ns] {
      return static_cast<double>(searching_ns) * 1e-9 > job_.plan.search_s;
    };
  }
  options.progress = [&](const std::string& what, int done, int total) {
    job_.Say(base::StrCat(rung, ": ", what), total > 0 ? static_cast<double>(done) / total : -1.0);
  };
  options.point = [&](double predicted_ms, double loss) {
    job_.ladder.points.push_back({.stage = "search",
                                  .rung = rung,
                                  .latency_ms = predicted_ms,
                                  .predicted = true,
                                  .metric = NAN,
                                  .loss = loss,
                                  .size_bytes = 0});
  };
  HONE_ASSIGN_OR_RETURN(PrunedDraft pruned,
                        PruneToTarget(draft, *snapshots, *profile, target, judges, options));
  job_.News(base::StrCat(rung, ": ", pruned.candidates, " candidates, loss ",
                         base::Fixed(pruned.loss, 4), ", ",
                         base::Fixed(pruned.timed.candidate_ms, 3), " ms against ",
                         base::Fixed(pruned.timed.dense_ms, 3), " (",
                         base::Fixed(pruned.timed.dense_ms / pruned.timed.candidate_ms, 2), "x)"));
  if (stage.bottom_up && stage.method == PruneMethod::kZipLm) {
    HONE_RETURN_IF_ERROR(RefitPruned(stage, rung, draft, *snapshots, &pruned));
  }
  job_.ladder.points.push_back({.stage = "prune",
                                .rung = rung,
                                .latency_ms = pruned.timed.candidate_ms,
                                .predicted = job_.elsewhere,
                                .metric = NAN,
                                .loss = pruned.loss,
                                .size_bytes = 0});
  chosen_ = EngineFor(pruned.draft.model(), *snapshots, pruned.formats).formats;
  HONE_RETURN_IF_ERROR(env::WriteFile(job_.tools.files, out + ".formats.json", ToJson(chosen_)));
  HONE_RETURN_IF_ERROR(pruned.draft.Write(out, {.replace = true}));
  return SaveLadder(job_);
}

// But for its limits.
TrainRequest RungMaker::TrainingOf(const DistillStage& stage, const std::string& in,
                                   const std::string& out) const {
  const CompressRequest& asked = job_.request;
  TrainRequest request;
  request.model = in;
  request.out = out;
  request.task = asked.task;
  request.train = asked.train;
  request.dev = asked.dev;
  request.columns = asked.columns;
  if (stage.loss.asks_teacher()) request.teacher = asked.model;
  request.loss = stage.loss;
  // Sentences without labels teach by the teacher's answers alone; the task still says what the dev
  // file's metric is, by which the best step is kept.
  const std::string text = !stage.text.empty() ? stage.text : asked.train.empty() ? asked.text : "";
  if (!text.empty()) {
    request.train = {text};
    request.text_lines = true;
    request.loss.task = 0;
  }
  request.batch = stage.batch;
  request.learning_rate = stage.learning_rate;
  request.schedule = stage.schedule;
  request.warmup = stage.warmup;
  request.dropout = stage.dropout;
  request.min_tokens = stage.min_tokens;
  request.evaluations_per_epoch = stage.evaluations;
  request.patience = stage.patience;
  // Whole texts, and an answer's window as the engine cuts it.
  request.max_tokens = job_.dense->max_tokens();
  request.seed = asked.seed;
  request.threads = asked.work_threads;
  // Killed within training, or behind it and before the state said so; or not begun at all.
  request.resume = true;
  request.log = out + ".jsonl";
  return request;
}

Status RungMaker::CheckTraining() {
  if (!job_.trains()) return base::OkStatus();
  for (const Stage& stage : job_.request.recipe.stages) {
    const auto* distill = std::get_if<DistillStage>(&stage.what);
    if (distill == nullptr) continue;
    TrainRequest request = TrainingOf(*distill, job_.request.model, job_.state->Path("check"));
    request.check_only = true;
    HONE_RETURN_IF_ERROR(
        base::Annotate(job_.tools.trainer(request, {}).status(), "what the recipe trains with"));
  }
  return base::OkStatus();
}

Status RungMaker::Distill(const DistillStage& stage, const std::string& rung, const std::string& in,
                          const std::string& out) {
  TrainRequest request = TrainingOf(stage, in, out);
  HONE_ASSIGN_OR_RETURN(const TrainingLimits limits,
                        KeepLimits(job_.tools.files, out + ".limits.json",
                                   {stage.epochs * job_.plan.epoch_share, job_.plan.training_s}));
  request.epochs = limits.epochs;
  request.max_seconds = limits.max_seconds;
  const auto report = [&](const TrainProgress& progress) {
    job_.Say(base::StrCat(rung, ": training, loss ", base::Fixed(progress.loss, 4), ", best ",
                          std::isnan(progress.best) ? "-" : base::Fixed(progress.best, 4)),
             progress.steps > 0
                 ? static_cast<double>(progress.step) / static_cast<double>(progress.steps)
                 : -1.0);
  };
  const StatusOr<TrainResult> result = job_.tools.trainer(request, report);
  if (!result.ok()) {
    return base::Annotate(result.status(), base::StrCat(rung, ": training"));
  }
  if (!result->metric.empty()) {
    job_.News(base::StrCat(rung, ": trained ", result->steps, " steps in ",
                           SayDuration(result->seconds), ", ", result->metric, " ",
                           base::Fixed(result->best, 4)));
    AddTrained(rung, result->best);
  }
  return SaveLadder(job_);
}

// Training changes no shape: it is as fast as the pruned draft was in the rung's formats.
void RungMaker::AddTrained(const std::string& rung, double metric) {
  ForgetPoints(rung, "distill");
  const auto pruned = std::ranges::find_if(job_.ladder.points, [&](const LadderPoint& point) {
    return point.rung == rung && point.stage == "prune";
  });
  if (pruned == job_.ladder.points.end()) return;  // trained before it: no latency of its own
  LadderPoint point = *pruned;
  point.stage = "distill";
  point.metric = metric;
  point.loss = NAN;
  job_.ladder.points.push_back(point);
}

Status RungMaker::Narrow(const NarrowStage& stage, const std::string& in, const std::string& out) {
  constexpr std::size_t kTexts = 1024;
  HONE_ASSIGN_OR_RETURN(const Draft draft, Draft::Open(job_.tools.files, in));
  HONE_ASSIGN_OR_RETURN(const Calibration texts,
                        CalibrationTexts(job_, kTexts, job_.request.seed + 1));
  PruneOptions options;
  options.threads = job_.request.work_threads;
  options.isa = job_.request.isa;
  HONE_ASSIGN_OR_RETURN(const Draft narrower, compress::Narrow(draft, stage.width, texts, options));
  return narrower.Write(out, {.replace = true});
}

Status RungMaker::DropLayers(const DropLayersStage& stage, const std::string& in,
                             const std::string& out) {
  HONE_ASSIGN_OR_RETURN(const Draft draft, Draft::Open(job_.tools.files, in));
  HONE_ASSIGN_OR_RETURN(const Draft shorter, compress::DropLayers(draft, stage.layers));
  return shorter.Write(out, {.replace = true});
}

StatusOr<MadeRung> RungMaker::Make(const std::string& name, const PruneTarget& target,
                                   const std::string& from) {
  WorkState& state = *job_.state;
  MadeRung made{from, from};
  chosen_.clear();
  for (std::size_t i = 0; i < job_.request.recipe.stages.size(); ++i) {
    const auto& what = job_.request.recipe.stages[i].what;
    if (std::holds_alternative<DistillStage>(what) && !job_.trains()) continue;
    HONE_ASSIGN_OR_RETURN(const bool is_done,
                          IsDone(job_.request.recipe.stages[i], made.directory));
    if (is_done) continue;
    constexpr const char* kNames[] = {"prune", "narrow", "drop-layers", "distill", "quantize"};
    const std::string step = base::StrCat(name, "-", i, "-", kNames[what.index()]);
    const std::string out = state.Path(step);
    const std::int64_t start = job_.tools.now_ns();
    if (!state.Done(step)) {
      Status status;
      if (const auto* prune = std::get_if<PruneStage>(&what)) {
        status = Prune(*prune, target, name, made.directory, out);
      } else if (const auto* narrow = std::get_if<NarrowStage>(&what)) {
        status = Narrow(*narrow, made.directory, out);
      } else if (const auto* drop = std::get_if<DropLayersStage>(&what)) {
        status = DropLayers(*drop, made.directory, out);
      } else if (const auto* distill = std::get_if<DistillStage>(&what)) {
        status = Distill(*distill, name, made.directory, out);
      } else {
        status = Quantize(std::get<QuantizeStage>(what), name, made.directory, out);
      }
      HONE_RETURN_IF_ERROR(status);
      HONE_RETURN_IF_ERROR(
          state.Finish(step, static_cast<double>(job_.tools.now_ns() - start) * 1e-9));
    } else if (std::holds_alternative<PruneStage>(what)) {
      HONE_ASSIGN_OR_RETURN(chosen_, ReadModuleFormats(job_.tools.files, out + ".formats.json"));
    }
    made.directory = out;
    if (!std::holds_alternative<QuantizeStage>(what)) made.float_directory = out;
  }
  return made;
}

Status RungMaker::Quantize(const QuantizeStage& stage, const std::string& rung,
                           const std::string& in, const std::string& out) {
  HONE_ASSIGN_OR_RETURN(Draft draft, Draft::Open(job_.tools.files, in));
  FormatRequest formats{.all = stage.formats.front(), .modules = chosen_, .embeddings = {}};
  formats.embeddings = stage.embeddings;
  for (const std::string& module : LeftInFloat(stage.modules, draft.model())) {
    formats.modules[module] = quant::Format::kF32;
  }
  RoundingOptions rounding;
  rounding.method = stage.method;
  rounding.smooth = stage.smooth;
  rounding.threads = job_.request.work_threads;
  rounding.isa = job_.request.isa;
  Calibration texts;
  if (rounding.method != Rounding::kNearest || stage.smooth > 0) {
    HONE_ASSIGN_OR_RETURN(texts, CalibrationTexts(job_, static_cast<std::size_t>(stage.samples),
                                                  job_.request.seed + 2));
    rounding.calibration = &texts;
  }
  HONE_RETURN_IF_ERROR(
      QuantizeDraft(&draft, formats, rounding, [&](std::uint64_t done, std::uint64_t total) {
        job_.Say(rung + ": quantising", static_cast<double>(done) / static_cast<double>(total));
      }));
  const std::string format = DescribeModel(draft.model()).format;
  return draft.Write(out, {.replace = true, .format = format});
}

}  // namespace hone::compress
