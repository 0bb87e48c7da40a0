#include "compress/ladder/prepare.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "base/version.h"
#include "compress/ladder/rung_maker.h"
#include "compress/measure_profile.h"
#include "compress/prune/pruner.h"
#include "env/cpus.h"
#include "env/space.h"
#include "formats/sha256.h"
#include "formats/tokenizer_files.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;

constexpr std::uint64_t kMaxDataBytes = std::uint64_t{4} << 30;
constexpr std::uint64_t kMaxProfileBytes = 64 << 20;
constexpr double kProfileSeconds = 20;
// What a step of training costs beside the engine's forward pass of the dense model on the same texts:
// its own forward and backward, where the model is whole. MiniLM-L6 on SST-2, two threads: 9,280 tokens
// a second forward, 1,950 in training.
constexpr double kWholeTrainingPasses = 4.8;

template <typename Kind>
const Kind* Find(const Recipe& recipe) {
  for (const Stage& stage : recipe.stages) {
    if (const auto* found = std::get_if<Kind>(&stage.what)) return found;
  }
  return nullptr;
}

// What makes two requests the same work, whatever the budget.
std::string Fingerprint(const CompressRequest& request, bool trains) {
  base::JsonWriter json;
  json.BeginArray().String(request.model).String(request.task).String(request.dev);
  for (const std::string& file : request.train) json.String(file);
  json.String(request.text).String(request.columns).String(request.recipe.name);
  json.String(request.recipe.text).Bool(trains).Int(request.batch).Int(request.threads);
  json.Int(request.sequence).String(request.lengths).String(request.device_profile);
  json.String(base::IsaName(request.isa)).Int(static_cast<std::int64_t>(request.seed));
  for (const double speedup : request.speedups) json.Double(speedup);
  json.String("ms");
  for (const double latency : request.latencies_ms) json.Double(latency);
  json.Double(request.max_drop).EndArray();
  const std::string text = json.Take();
  return formats::Sha256Hex(std::as_bytes(std::span(text)));
}

Status Missing(env::FileSystem& files, const std::string& path) {
  if (files.IsFile(path)) return base::OkStatus();
  return base::NotFound(path, ": is no file");
}

StatusOr<Workload> MakeWorkload(const CompressJob& job) {
  const CompressRequest& request = job.request;
  Workload workload{.batch = request.batch, .threads = request.threads, .lengths = {}};
  const int limit = job.dense->model().config.max_tokens;
  if (request.sequence > 0) {
    if (request.sequence > limit) {
      return base::BadInput("-s ", request.sequence, ": the model takes at most ", limit,
                            " tokens");
    }
    workload.lengths = {request.sequence};
  } else if (!request.lengths.empty()) {
    HONE_ASSIGN_OR_RETURN(workload.lengths,
                          LengthsOfLines(job.tools.files, request.lengths, *job.dense));
  } else {
    workload.lengths = NaturalLengths(*job.dev.task, job.dev.examples.items, *job.dense);
    if (workload.lengths.empty()) return base::BadInput(request.dev, ": no text has a token");
  }
  return workload;
}

LadderDevice Describe(const CompressJob& job, const Workload& workload) {
  LadderDevice device;
  device.processor = job.profile.processor;
  device.isa = job.profile.isa;
  device.threads = workload.threads;
  device.batch = workload.batch;
  device.tokens_mean = std::accumulate(workload.lengths.begin(), workload.lengths.end(), 0.0) /
                       static_cast<double>(workload.lengths.size());
  device.tokens_low = *std::ranges::min_element(workload.lengths);
  device.tokens_high = *std::ranges::max_element(workload.lengths);
  device.predicted = job.elsewhere;
  return device;
}

StatusOr<DeviceProfile> ReadProfile(CompressJob& job, const std::string& path) {
  HONE_ASSIGN_OR_RETURN(const std::string text, job.tools.files.Read(path, kMaxProfileBytes));
  HONE_ASSIGN_OR_RETURN(DeviceProfile profile, ParseDeviceProfile(text, path));
  HONE_RETURN_IF_ERROR(CheckForModel(profile, job.dense->model().config, path));
  for (const quant::Format format : job.formats) {
    if (!profile.Has(format)) {
      return base::BadInput(path, ": has no times for ", quant::NameOf(format),
                            ", which the recipe asks for");
    }
  }
  return profile;
}

Status CheckRoom(const CompressJob& job, std::size_t rungs) {
  const model::Model& model = job.dense->model();
  if (Find<PruneStage>(job.request.recipe) != nullptr) {
    const auto samples = static_cast<std::size_t>(Find<PruneStage>(job.request.recipe)->samples);
    const std::size_t tokens = samples * job.search_texts.tokens /
                               std::max<std::size_t>(job.search_texts.examples.size(), 1);
    const std::uint64_t needed =
        2 * model.checkpoint->bytes() +
        SnapshotBytes(model.config, CalibrationOptions().tokens_per_batch, tokens);
    const std::uint64_t there = env::AvailableMemoryBytes();
    if (needed > there) {
      return base::OutOfResource("pruning this model needs about ", needed >> 20,
                                 " MiB of memory; ", there >> 20, " MiB are available");
    }
  }
  // A rung keeps its stages' models until it is measured, then the one that the next begins from.
  const std::uint64_t each = 4 * job.ladder.dense.parameters + (1 << 20);
  const std::uint64_t needed = each * (job.request.recipe.stages.size() + 1 + rungs);
  const std::uint64_t there = env::FreeDiskBytes(job.request.out);
  if (needed > there) {
    return base::OutOfResource(job.request.out, ": needs about ", needed >> 20, " MiB of disk; ",
                               there >> 20, " MiB are free");
  }
  return base::OkStatus();
}

// Passes of the dense model that a step of distillation is worth: the teacher's one, and the student's,
// which shrinks as its target asks beyond what the number format gives. 2.6 were measured at 8x with
// int8, where this says 2.7.
double TrainingPasses(const CompressJob& job) {
  const model::ModelConfig& config = job.dense->model().config;
  const StatusOr<double> whole = job.profile.Predict(config.layers, quant::Format::kF32);
  double format_gain = 1;
  for (const quant::Format format : job.formats) {
    const StatusOr<double> ms = job.profile.Predict(config.layers, format);
    if (whole.ok() && ms.ok() && *ms > 0) format_gain = std::max(format_gain, *whole / *ms);
  }
  double share = 0;
  const std::vector<PruneTarget> targets = SortedTargets(job);
  for (const PruneTarget& target : targets) {
    const double speedup =
        target.speedup > 0 ? target.speedup : job.ladder.dense.latency.p50_ms / target.latency_ms;
    share += speedup > 0 ? std::min(1.0, format_gain / speedup) : 1.0;
  }
  share = targets.empty() ? 1.0 : share / static_cast<double>(targets.size());
  return 1 + kWholeTrainingPasses * share;
}

RungCosts EstimateCosts(const CompressJob& job) {
  RungCosts costs;
  const double rate = std::max(job.forward_tokens_per_s, 1.0);
  const auto search_tokens = static_cast<double>(job.search_texts.tokens);
  const double tokens_a_text = search_tokens / static_cast<double>(std::max<std::size_t>(
                                                   job.search_texts.examples.size(), 1));
  for (const Stage& stage : job.request.recipe.stages) {
    if (const auto* prune = std::get_if<PruneStage>(&stage.what)) {
      double removal = 0;
      for (const model::LayerShape& layer : job.dense->model().config.layers) {
        // F rank-1 updates of a matrix that shrinks: about F³ multiply-adds, bound by memory.
        removal += std::pow(static_cast<double>(layer.ffn), 3) / 1.5e9;
      }
      costs.snapshots_s += removal + 4 * prune->samples * tokens_a_text / rate;
      costs.candidates = prune->candidates;
      costs.candidate_s = 0.02 + 0.4 * search_tokens / rate;
      costs.other_s += 5 * job.timing_s;
    } else if (const auto* distill = std::get_if<DistillStage>(&stage.what);
               distill && job.trains()) {
      const double texts = static_cast<double>(
          job.train.items.empty()
              ? static_cast<std::size_t>(std::ranges::count(job.unlabelled, '\n')) + 1
              : job.train.items.size());
      costs.training_s += distill->epochs * texts * tokens_a_text * TrainingPasses(job) / rate;
    } else {
      costs.other_s += 2;
    }
  }
  const double dev_tokens = static_cast<double>(job.dev.examples.items.size()) * tokens_a_text;
  costs.other_s += dev_tokens / rate + 4 * job.timing_s;
  return costs;
}

// How far apart two results must be, in points, for this dev file to tell them apart.
void WarnSmallDevSet(const CompressJob& job) {
  const MetricFigure& metric = job.ladder.dense.metric;
  const double half = (metric.high - metric.low) / 2 / PointUnit(*job.dev.task);
  if (half <= 1) return;
  job.News(base::StrCat("the dev file's ", job.dev.examples.items.size(),
                        " examples cannot tell one point: ", metric.name, " ",
                        base::Fixed(metric.value, 4), " lies within ", base::Fixed(metric.low, 4),
                        " and ", base::Fixed(metric.high, 4), " (95 %)"));
}

// What a recipe's expressions may name.
RecipeModules ModulesOf(const model::Model& model) {
  RecipeModules modules;
  for (const model::LayerWeights& layer : model.weights.layers) {
    for (const model::Linear* linear : {&layer.output, &layer.down}) {
      if (!linear->weight.name.empty()) modules.prunable.push_back(linear->weight.name);
    }
    for (const model::Linear* linear :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
      if (!linear->weight.name.empty()) modules.matrices.push_back(linear->weight.name);
    }
  }
  return modules;
}

}  // namespace

Status SaveLadder(const CompressJob& job) {
  return env::WriteFile(job.tools.files, job.state->Path("ladder.json"), ToJson(job.ladder));
}

StatusOr<Calibration> CalibrationTexts(const CompressJob& job, std::size_t count,
                                       std::uint64_t seed) {
  const CalibrationOptions options{.count = count, .seed = seed};
  if (!job.train.items.empty()) {
    return MakeCalibration(job.train, *job.dev.task, *job.tokenizer, job.dense->model(), options);
  }
  return MakeTextCalibration(job.unlabelled, *job.tokenizer, job.dense->model(), options);
}

double MaxDrop(const CompressRequest& request) {
  if (request.max_drop > 0) return request.max_drop;
  const bool targets = !request.speedups.empty() || !request.latencies_ms.empty();
  return targets ? 0 : request.recipe.max_drop;
}

Status CheckRequest(CompressJob& job) {
  const CompressRequest& request = job.request;
  env::FileSystem& files = job.tools.files;
  for (const double speedup : request.speedups) {
    if (!(speedup > 1 && speedup <= 1000)) {
      return base::BadInput("a speed-up of ", speedup, ": expected more than 1, at most 1000");
    }
  }
  for (const double latency : request.latencies_ms) {
    if (!(latency > 0))
      return base::BadInput("a latency of ", latency, " ms: expected more than 0");
  }
  if (request.speedups.empty() && request.latencies_ms.empty() && MaxDrop(request) <= 0) {
    return base::BadInput("nothing to aim for: give a speed-up, a latency or a largest drop");
  }
  if (request.train.empty() && request.text.empty()) {
    return base::BadInput("needs texts: a training file, or a file of unlabelled lines");
  }
  for (const std::string& file : request.train) HONE_RETURN_IF_ERROR(Missing(files, file));
  HONE_RETURN_IF_ERROR(Missing(files, request.dev));
  for (const std::string* file : {&request.text, &request.lengths, &request.device_profile}) {
    if (!file->empty()) HONE_RETURN_IF_ERROR(Missing(files, *file));
  }
  if (files.IsDirectory(request.out) || files.IsFile(request.out)) {
    return absl::AlreadyExistsError(base::StrCat(request.out, ": exists already"));
  }
  if (request.recipe.stages.empty()) return base::BadInput("the recipe has no stages");
  const bool shrinks = Find<PruneStage>(request.recipe) != nullptr;
  if (!shrinks) {
    return base::BadInput("recipe ", request.recipe.name,
                          ": has no prune stage, so no latency can be aimed for");
  }
  job.formats = {quant::Format::kF32};
  if (const auto* quantize = Find<QuantizeStage>(request.recipe)) job.formats = quantize->formats;
  return base::OkStatus();
}

Status OpenWork(CompressJob& job) {
  HONE_ASSIGN_OR_RETURN(WorkState state,
                        WorkState::Open(job.tools.files, job.request.out + ".partial",
                                        Fingerprint(job.request, job.trains())));
  job.state = std::move(state);
  const std::string path = job.state->Path("ladder.json");
  if (!job.tools.files.IsFile(path)) return base::OkStatus();
  HONE_ASSIGN_OR_RETURN(const std::string text, job.tools.files.Read(path, kMaxProfileBytes));
  HONE_ASSIGN_OR_RETURN(job.ladder, ParseLadder(text, path));
  if (!job.state->empty())
    job.News("going on with the unfinished work of " + job.state->directory());
  return base::OkStatus();
}

Status ReadInputs(CompressJob& job) {
  const CompressRequest& request = job.request;
  env::FileSystem& files = job.tools.files;
  HONE_ASSIGN_OR_RETURN(job.dev, ReadDevSet(files, request.task, request.dev, request.columns));
  for (const std::string& file : request.train) {
    HONE_ASSIGN_OR_RETURN(DevSet more, ReadDevSet(files, request.task, file, request.columns));
    std::ranges::move(more.examples.items, std::back_inserter(job.train.items));
  }
  if (!request.text.empty()) {
    HONE_ASSIGN_OR_RETURN(job.unlabelled, files.Read(request.text, kMaxDataBytes));
  }
  HONE_ASSIGN_OR_RETURN(job.tokenizer, formats::OpenTokenizer(files, request.model));
  HONE_ASSIGN_OR_RETURN(model::Model model, model::Model::Open(files, request.model));
  runtime::EngineOptions engine = job.engine();
  engine.format = quant::Format::kF32;
  HONE_ASSIGN_OR_RETURN(job.dense, runtime::TextModel::FromModel(std::move(model), job.tokenizer,
                                                                 {.engine = std::move(engine)}));
  for (const LayerForm& layer : DescribeModel(job.dense->model()).layers) {
    for (const std::string& format : {layer.attention_format, layer.ffn_format}) {
      if (format == "int8" || format == "int4") {
        return base::BadInput(request.model, ": is quantised already; compress the float model");
      }
    }
  }
  HONE_RETURN_IF_ERROR(CheckRecipe(request.recipe, ModulesOf(job.dense->model())));
  const auto* prune = Find<PruneStage>(request.recipe);
  HONE_ASSIGN_OR_RETURN(
      job.search_texts,
      CalibrationTexts(job, static_cast<std::size_t>(prune->search_samples), request.seed));
  job.ladder.tool = base::StrCat("hone ", base::kVersion);
  job.ladder.task = request.task;
  job.ladder.source = request.model.substr(request.model.find_last_of('/') + 1);
  job.ladder.dev_examples = job.dev.examples.items.size();
  return base::OkStatus();
}

Status MeasureDevice(CompressJob& job) {
  const CompressRequest& request = job.request;
  HONE_ASSIGN_OR_RETURN(Workload workload, MakeWorkload(job));
  const std::string path = job.state->Path("profile.json");
  if (!request.device_profile.empty()) {
    HONE_ASSIGN_OR_RETURN(job.profile, ReadProfile(job, request.device_profile));
    job.elsewhere = !CheckForDevice(job.profile, request.isa, request.device_profile).ok() ||
                    job.profile.processor != env::ProcessorName();
    if (job.elsewhere) {
      job.News(base::StrCat("compressing for ", job.profile.processor, " (", job.profile.isa,
                            "): latencies are its profile's predictions, nothing is timed here"));
      workload.lengths = job.profile.workload.lengths;
      workload.batch = job.profile.workload.batch;
      workload.threads = job.profile.workload.threads;
      if (!job.profile.Has(quant::Format::kF32)) {
        return base::BadInput(request.device_profile,
                              ": has no times for f32, the measure of every speed-up");
      }
    }
  } else if (job.state->Done("profile")) {
    HONE_ASSIGN_OR_RETURN(job.profile, ReadProfile(job, path));
  } else {
    const std::int64_t start = job.tools.now_ns();
    HONE_ASSIGN_OR_RETURN(
        const MeasuredProfile measured,
        MeasureProfile(job.dense->model(),
                       {.workload = workload,
                        .formats = job.formats,
                        .isa = request.isa,
                        .seconds = kProfileSeconds,
                        .seed = request.seed},
                       [&](double done) { job.Say("measuring this device", done); }));
    job.profile = measured.profile;
    HONE_RETURN_IF_ERROR(env::WriteFile(job.tools.files, path, ToJson(job.profile)));
    HONE_RETURN_IF_ERROR(
        job.state->Finish("profile", static_cast<double>(job.tools.now_ns() - start) * 1e-9));
    job.News(base::StrCat("latency table measured; it predicts a whole pass within ",
                          base::Fixed(measured.spread * 100, 1), " % (median)"));
  }
  job.ladder.device = Describe(job, workload);
  job.rig.emplace(*job.dense, std::move(workload), job.elsewhere ? &job.profile : nullptr);
  for (const std::vector<int>& texts : job.rig->batches()) {
    job.ladder.device.lengths.insert(job.ladder.device.lengths.end(), texts.begin(), texts.end());
  }
  HONE_ASSIGN_OR_RETURN(job.ladder.dense.latency, job.rig->TimeDense(job.timing_s));
  return base::OkStatus();
}

std::vector<PruneTarget> SortedTargets(const CompressJob& job) {
  std::vector<PruneTarget> targets;
  for (const double speedup : job.request.speedups) targets.push_back({.speedup = speedup});
  for (const double latency : job.request.latencies_ms) targets.push_back({.latency_ms = latency});
  std::ranges::stable_sort(targets, {}, [&](const PruneTarget& target) {
    return target.speedup > 0 ? target.speedup
                              : job.ladder.dense.latency.p50_ms / target.latency_ms;
  });
  const auto repeated = std::ranges::unique(targets, [](const auto& a, const auto& b) {
    return a.speedup == b.speedup && a.latency_ms == b.latency_ms;
  });
  targets.erase(repeated.begin(), repeated.end());
  return targets;
}

Status CheckTargets(CompressJob& job, const std::vector<PruneTarget>& targets) {
  // A narrower or shorter student has another table; its own search says what is possible.
  if (Find<NarrowStage>(job.request.recipe) != nullptr ||
      Find<DropLayersStage>(job.request.recipe) != nullptr) {
    return base::OkStatus();
  }
  double fastest = INFINITY;
  const std::vector<model::LayerShape> gone(job.dense->model().config.layers.size());
  for (const quant::Format format : job.formats) {
    HONE_ASSIGN_OR_RETURN(const double ms, job.profile.Predict(gone, format));
    fastest = std::min(fastest, ms);
  }
  const double dense = job.ladder.dense.latency.p50_ms;
  for (const PruneTarget& target : targets) {
    const double wanted = target.speedup > 0 ? dense / target.speedup : target.latency_ms;
    if (wanted >= fastest) continue;
    return base::NotFound(RungMaker::NameOf(target), " cannot be met: the model without any block ",
                          "takes about ", base::Fixed(fastest, 3), " ms of the dense model's ",
                          base::Fixed(dense, 3), ", so ", base::Fixed(dense / fastest, 1),
                          "x is the most that is possible");
  }
  return base::OkStatus();
}

Status MakePlan(CompressJob& job, std::size_t rungs) {
  runtime::EngineOptions engine = job.engine();
  engine.format = quant::Format::kF32;
  const std::int64_t start = job.tools.now_ns();
  HONE_ASSIGN_OR_RETURN(CalibrationLoss loss,
                        CalibrationLoss::Make(job.dense->model(), job.search_texts, engine));
  const double seconds = std::max(static_cast<double>(job.tools.now_ns() - start) * 1e-9, 1e-3);
  job.loss = std::move(loss);
  job.forward_tokens_per_s = static_cast<double>(job.search_texts.tokens) / seconds;
  job.ladder.dense.parameters = DescribeModel(job.dense->model()).parameters;
  HONE_RETURN_IF_ERROR(CheckRoom(job, rungs));
  // --max-drop has no rungs of its own to count; a guess is better than none.
  const int count = static_cast<int>(rungs) + (MaxDrop(job.request) > 0 ? 2 : 0);
  const double left =
      job.request.budget_seconds > 0
          ? std::max(job.request.budget_seconds - job.Elapsed() - job.state->TotalSeconds(), 1.0)
          : 0;
  HONE_ASSIGN_OR_RETURN(job.plan, PlanTime(EstimateCosts(job), count, left));
  std::string epochs;
  if (job.trains()) {
    epochs =
        base::StrCat(", ", base::Fixed(job.plan.epoch_share * 100, 0), " % of the recipe's epochs");
  }
  job.News(base::StrCat("plan: ", count, count == 1 ? " rung" : " rungs", " by recipe ",
                        job.request.recipe.name, job.trains() ? "" : " without training", ", ",
                        job.plan.candidates, " candidates each", epochs, "; about ",
                        SayDuration(job.plan.total_s), " (from ",
                        base::WithCommas(static_cast<std::uint64_t>(job.forward_tokens_per_s)),
                        " tokens a second forward)"));
  job.plan.total_s += job.Elapsed();
  return base::OkStatus();
}

Status MeasureDense(CompressJob& job) {
  HONE_ASSIGN_OR_RETURN(const Evaluation evaluation,
                        Evaluate(*job.dense, job.dev, [&](double done) {
                          job.Say("evaluating the dense model", done);
                        }));
  job.dense_answers = evaluation.predictions;
  const LatencyFigures latency = job.ladder.dense.latency;
  job.ladder.dense = DescribeModel(job.dense->model());
  job.ladder.dense.latency = latency;
  job.ladder.dense.metric = evaluation.metric;
  if (!job.elsewhere) {
    job.ladder.dense.operations = TimeOperations(
        job.dense->engine(), static_cast<int>(job.dense->model().head.outputs.size()),
        job.dense->model().config.vocabulary, job.rig->batches());
  }
  if (job.ladder.points.empty()) {
    job.ladder.points.push_back({.stage = "dense",
                                 .rung = {},
                                 .latency_ms = latency.p50_ms,
                                 .predicted = job.elsewhere,
                                 .metric = evaluation.metric.value,
                                 .loss = 0,
                                 .size_bytes = job.ladder.dense.size_bytes});
  }
  WarnSmallDevSet(job);
  return base::OkStatus();
}

}  // namespace hone::compress
