#include "compress/ladder/prepare.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>

#include "base/json.h"
#include "base/version.h"
#include "compress/ladder/rung_maker.h"
#include "compress/latency/measure_profile.h"
#include "compress/prune/narrow.h"
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
constexpr std::uint64_t kMaxLadderBytes = 64 << 20;

// What makes two requests the same work, whatever the budget.
std::string Fingerprint(const CompressRequest& request, bool trains) {
  base::JsonWriter json;
  json.BeginArray().String(request.model).String(request.task).String(request.dev);
  for (const std::string& file : request.train) json.String(file);
  json.String(request.text).String(request.columns).String(request.recipe.name);
  json.String(request.recipe.text).Bool(trains).Int(request.batch).Int(request.threads);
  json.Int(request.work_threads);
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

// Reshaping that the model does not allow, or that would change nothing of it.
Status CheckReshaping(const CompressJob& job) {
  const model::Model& model = job.dense->model();
  for (const Stage& stage : job.request.recipe.stages) {
    Status status;
    if (const auto* narrow = std::get_if<NarrowStage>(&stage.what)) {
      status = CheckNarrow(model, narrow->width);
    } else if (const auto* drop = std::get_if<DropLayersStage>(&stage.what);
               drop && drop->layers >= model.config.layer_count()) {
      status = base::BadInput(drop->layers, " layers are to remain; expected fewer than the ",
                              model.config.layer_count(), " that the model has");
    }
    if (!status.ok()) {
      return base::Annotate(
          status, base::StrCat(job.request.recipe.path, ":", stage.line, ": ", NameOf(stage)));
    }
  }
  return base::OkStatus();
}

// What distillation would otherwise say after the pruning.
Status CheckDistillation(const CompressJob& job) {
  for (const Stage& stage : job.request.recipe.stages) {
    const auto* distill = std::get_if<DistillStage>(&stage.what);
    if (distill == nullptr || !job.trains()) continue;
    if (!distill->text.empty()) {
      HONE_RETURN_IF_ERROR(Missing(job.tools.files, distill->text));
    }
    const bool labels = distill->text.empty() && !job.request.train.empty();
    if (!labels && !distill->loss.asks_teacher()) {
      return base::BadInput(
          "recipe ", job.request.recipe.name,
          ": its distill stage learns from labels alone, and unlabelled lines have "
          "none; give a training file, or the loss a part of the teacher's");
    }
  }
  return base::OkStatus();
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
  if (request.recipe.max_drop > 0 && MaxDrop(request) <= 0) {
    job.News(base::StrCat("the recipe's max_drop of ", request.recipe.max_drop,
                          " points is for a command without targets; --max-drop adds the fastest "
                          "rung within it to these"));
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
    return base::AlreadyExists(request.out, ": exists already");
  }
  if (request.recipe.stages.empty()) return base::BadInput("the recipe has no stages");
  const bool shrinks = FindStage<PruneStage>(request.recipe) != nullptr;
  if (!shrinks) {
    return base::BadInput("recipe ", request.recipe.name,
                          ": has no prune stage, so no latency can be aimed for");
  }
  HONE_RETURN_IF_ERROR(CheckDistillation(job));
  job.formats = {quant::Format::kF32};
  if (const auto* quantize = FindStage<QuantizeStage>(request.recipe))
    job.formats = quantize->formats;
  return base::OkStatus();
}

Status OpenWork(CompressJob& job) {
  HONE_ASSIGN_OR_RETURN(WorkState state,
                        WorkState::Open(job.tools.files, job.request.out + ".partial",
                                        Fingerprint(job.request, job.trains())));
  job.state = std::move(state);
  job.before_s = job.state->TotalSeconds();
  const std::string path = job.state->Path("ladder.json");
  if (!job.tools.files.IsFile(path)) return base::OkStatus();
  HONE_ASSIGN_OR_RETURN(const std::string text, job.tools.files.Read(path, kMaxLadderBytes));
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
      if (format.find("int") != std::string::npos) {
        return base::BadInput(request.model, ": is quantised already; compress the float model");
      }
    }
  }
  HONE_RETURN_IF_ERROR(CheckRecipe(request.recipe, ModulesOf(job.dense->model())));
  HONE_RETURN_IF_ERROR(CheckReshaping(job));
  const auto* prune = FindStage<PruneStage>(request.recipe);
  HONE_ASSIGN_OR_RETURN(
      job.search_texts,
      CalibrationTexts(job, static_cast<std::size_t>(prune->search_samples), request.seed));
  job.ladder.tool = base::StrCat("hone ", base::kVersion);
  job.ladder.task = request.task;
  job.ladder.source = request.model.substr(request.model.find_last_of('/') + 1);
  job.ladder.dev_examples = job.dev.examples.items.size();
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
  const auto same = [](const PruneTarget& a, const PruneTarget& b) {
    return a.speedup == b.speedup && a.latency_ms == b.latency_ms;
  };
  targets.erase(std::unique(targets.begin(), targets.end(), same), targets.end());
  return targets;
}

Status CheckTargets(CompressJob& job, const std::vector<PruneTarget>& targets) {
  // A narrower or shorter student has another table; its own search says what is possible.
  if (FindStage<NarrowStage>(job.request.recipe) != nullptr ||
      FindStage<DropLayersStage>(job.request.recipe) != nullptr) {
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

}  // namespace hone::compress
