#include "compress/ladder/plan.h"

#include <algorithm>
#include <cmath>

#include "compress/ladder/prepare.h"
#include "compress/ladder/rung_maker.h"
#include "compress/prune/pruner.h"
#include "compress/search/prune_to_target.h"
#include "env/space.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;

// What a step of training costs beside the engine's forward pass of the dense model on the same texts:
// its own forward and backward, where the model is whole. MiniLM-L6 on SST-2, two threads: 9,280 tokens
// a second forward, 1,950 in training; since a batch is divided among the threads a short run was 1.2 times as fast.
constexpr double kWholeTrainingPasses = 4.0;

Status CheckRoom(const CompressJob& job, std::size_t rungs) {
  const model::Model& model = job.dense->model();
  if (FindStage<PruneStage>(job.request.recipe) != nullptr) {
    const auto samples =
        static_cast<std::size_t>(FindStage<PruneStage>(job.request.recipe)->samples);
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

// Passes of the dense model that an epoch of distillation is worth: the student's, which shrinks as its
// target asks beyond what the number format gives, and the teacher's one, whose answers are kept for
// the other epochs.
double TrainingPasses(const CompressJob& job, double epochs) {
  const double format_gain = FormatGain(job.profile, job.dense->model().config.layers, job.formats,
                                        job.ladder.dense.latency.p50_ms);
  double share = 0;
  const std::vector<PruneTarget> targets = SortedTargets(job);
  for (const PruneTarget& target : targets) {
    const double speedup =
        target.speedup > 0 ? target.speedup : job.ladder.dense.latency.p50_ms / target.latency_ms;
    share += speedup > 0 ? std::min(1.0, format_gain / speedup) : 1.0;
  }
  share = targets.empty() ? 1.0 : share / static_cast<double>(targets.size());
  return 1 / std::max(1.0, epochs) + kWholeTrainingPasses * share;
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
      costs.other_s += PruneToTargetOptions{}.most_timings * job.timing_s;
    } else if (const auto* distill = std::get_if<DistillStage>(&stage.what);
               distill && job.trains()) {
      const double texts = static_cast<double>(
          job.train.items.empty()
              ? static_cast<std::size_t>(std::ranges::count(job.unlabelled, '\n')) + 1
              : job.train.items.size());
      costs.training_s +=
          distill->epochs * texts * tokens_a_text * TrainingPasses(job, distill->epochs) / rate;
    } else {
      costs.other_s += 2;
    }
  }
  const double dev_tokens = static_cast<double>(job.dev.examples.items.size()) * tokens_a_text;
  costs.other_s += dev_tokens / rate + 5 * job.timing_s;
  return costs;
}

}  // namespace

double FormatGain(const DeviceProfile& profile, const std::vector<model::LayerShape>& layers,
                  std::span<const quant::Format> formats, double dense_ms) {
  double gain = 1;
  for (const quant::Format format : formats) {
    const StatusOr<double> ms = profile.Predict(layers, format);
    if (ms.ok() && *ms > 0) gain = std::max(gain, dense_ms / *ms);
  }
  return gain;
}

double BudgetLeft(const CompressJob& job) {
  if (job.request.budget_seconds <= 0) return 0;
  return std::max(job.request.budget_seconds - job.before_s - job.Elapsed(), 1.0);
}

void PlanAgain(CompressJob& job, std::size_t rungs) {
  job.plan = PlanTimeAgain(EstimateCosts(job), static_cast<int>(rungs), BudgetLeft(job));
  job.plan.total_s += job.Elapsed();
}

Status MakePlan(CompressJob& job, std::size_t rungs) {
  runtime::EngineOptions engine = job.engine();
  engine.format = quant::Format::kF32;
  engine.threads = job.request.work_threads;
  const std::int64_t start = job.tools.now_ns();
  HONE_ASSIGN_OR_RETURN(CalibrationLoss loss,
                        CalibrationLoss::Make(job.dense->model(), job.search_texts, engine));
  const double seconds = std::max(static_cast<double>(job.tools.now_ns() - start) * 1e-9, 1e-3);
  job.loss = std::move(loss);
  job.forward_tokens_per_s = static_cast<double>(job.search_texts.tokens) / seconds;
  job.ladder.dense.parameters = DescribeModel(job.dense->model()).parameters;
  HONE_RETURN_IF_ERROR(CheckRoom(job, rungs));
  const int count = static_cast<int>(rungs);
  HONE_ASSIGN_OR_RETURN(job.plan, PlanTime(EstimateCosts(job), count, BudgetLeft(job)));
  std::string epochs;
  if (job.trains()) {
    epochs =
        base::StrCat(", ", base::Fixed(job.plan.epoch_share * 100, 0), " % of the recipe's epochs");
  }
  job.News(base::StrCat(
      "plan: ", MaxDrop(job.request) > 0 ? "up to " : "", count, count == 1 ? " rung" : " rungs",
      " by recipe ", job.request.recipe.name, job.trains() ? "" : " without training", ", ",
      job.plan.candidates, " candidates each", epochs, "; about ", SayDuration(job.plan.total_s),
      " (from ", base::WithCommas(static_cast<std::uint64_t>(job.forward_tokens_per_s)),
      " tokens a second forward)"));
  job.plan.total_s += job.Elapsed();
  return base::OkStatus();
}

}  // namespace hone::compress
