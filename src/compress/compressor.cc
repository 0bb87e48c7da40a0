#include "compress/compressor.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/json.h"
#include "base/version.h"
#include "compress/ladder/finish.h"
#include "compress/ladder/job.h"
#include "compress/ladder/measure.h"
#include "compress/ladder/plan.h"
#include "compress/ladder/prepare.h"
#include "compress/ladder/rung_maker.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;

// The first try of --max-drop where no target was given.
constexpr double kFirstTry = 2;

class Compressor {
 public:
  Compressor(const CompressRequest& request, const CompressTools& tools) : job_(request, tools) {}

  StatusOr<LadderReport> Run();

 private:
  StatusOr<LadderReport> MakeLadder();
  void ForgetRefused(bool table_too);
  Status MakeTargets();
  void Miss(const std::string& what, const Status& why);
  // `left`: rungs still to be made, this one among them.
  Status MakeRung(const PruneTarget& target, std::size_t left);
  bool Measured(const PruneTarget& target) const {
    return job_.state->Done(RungMaker::NameOf(target) + "-measure");
  }
  std::size_t TargetsLeft(std::size_t first) const;
  std::size_t TriesLeft() const;
  bool Asked(const LadderRung& rung) const;
  std::optional<double> NextTry(double max_drop) const;
  Status FindFastestWithin(double max_drop);
  Status KeepFastestWithin(double max_drop);
  double Drop(const LadderRung& rung) const {
    return (job_.ladder.dense.metric.value - rung.model.metric.value) / PointUnit(*job_.dev.task);
  }

  CompressJob job_;
  std::optional<RungMaker> maker_;
  std::vector<PruneTarget> targets_;
  std::string from_;  // float model that the next rung begins from
};

Status Compressor::MakeRung(const PruneTarget& target, std::size_t left) {
  const std::string name = RungMaker::NameOf(target);
  if (!Measured(target)) PlanAgain(job_, left);
  HONE_ASSIGN_OR_RETURN(const MadeRung made, maker_->Make(name, target, from_));
  job_.directories[name] = made.directory;
  const std::string step = name + "-measure";
  if (!job_.state->Done(step)) {
    const std::int64_t start = job_.tools.now_ns();
    HONE_ASSIGN_OR_RETURN(LadderRung rung, MeasureRung(job_, name, made.directory));
    rung.target = {target.speedup, target.latency_ms, 0};
    // Measured again after a fault, it takes its own place.
    std::erase_if(job_.ladder.rungs, [&](const LadderRung& old) { return old.path == name; });
    std::erase_if(job_.ladder.points,
                  [&](const LadderPoint& old) { return old.rung == name && old.stage == "rung"; });
    job_.ladder.rungs.push_back(rung);
    job_.ladder.points.push_back({.stage = "rung",
                                  .rung = name,
                                  .latency_ms = rung.model.latency.p50_ms,
                                  .predicted = job_.elsewhere,
                                  .metric = rung.model.metric.value,
                                  .loss = NAN,
                                  .size_bytes = rung.model.size_bytes});
    HONE_RETURN_IF_ERROR(SaveLadder(job_));
    HONE_RETURN_IF_ERROR(
        job_.state->Finish(step, static_cast<double>(job_.tools.now_ns() - start) * 1e-9));
    job_.News(base::StrCat(name, ": ", base::Fixed(rung.speedup, 2), "x, ", rung.model.metric.name,
                           " ", base::Fixed(rung.model.metric.value, 4), " [",
                           base::Fixed(rung.model.metric.low, 4), ", ",
                           base::Fixed(rung.model.metric.high, 4), "], dense ",
                           base::Fixed(job_.ladder.dense.metric.value, 4)));
  }
  // Without training nothing was learned on the way: each rung begins from the dense model.
  if (job_.trains()) from_ = made.float_directory;
  return base::OkStatus();
}

bool Compressor::Asked(const LadderRung& rung) const {
  return rung.target.latency_ms > 0 ||
         std::ranges::any_of(job_.request.speedups, [&](double speedup) {
           return RungMaker::NameOf({.speedup = speedup}) == rung.path;
         });
}

// Between the fastest rung that keeps the drop and the slowest that does not, on the logarithm.
std::optional<double> Compressor::NextTry(double max_drop) const {
  double good = 1, bad = 0;
  for (const LadderRung& rung : job_.ladder.rungs) {
    if (Drop(rung) <= max_drop) good = std::max(good, rung.speedup);
  }
  for (const LadderRung& rung : job_.ladder.rungs) {
    if (Drop(rung) > max_drop && rung.speedup > good) {
      bad = bad == 0 ? rung.speedup : std::min(bad, rung.speedup);
    }
  }
  if (bad > 0 && bad / good < 1.12) return std::nullopt;
  const double next = bad > 0 ? std::sqrt(good * bad) : good > 1 ? 1.6 * good : kFirstTry;
  const double rounded = std::round(next * 20) / 20;
  // Made again it would say nothing new.
  if (job_.directories.contains(RungMaker::NameOf({.speedup = rounded}))) return std::nullopt;
  return rounded;
}

Status Compressor::FindFastestWithin(double max_drop) {
  // A trained rung that is faster than a bad one cannot begin from it: each try begins from the dense
  // model. Those of a run that was killed count; making them again only says where they lie.
  std::vector<PruneTarget> tried;
  for (const LadderRung& rung : job_.ladder.rungs) {
    if (!Asked(rung)) tried.push_back({.speedup = rung.target.speedup});
  }
  for (const PruneTarget& target : tried) {
    from_ = job_.request.model;
    HONE_RETURN_IF_ERROR(MakeRung(target, std::max<std::size_t>(TriesLeft(), 1)));
  }
  for (std::size_t tries = tried.size(); tries < kDropTries; ++tries) {
    const std::optional<double> speedup = NextTry(max_drop);
    if (!speedup) break;
    from_ = job_.request.model;
    const Status status = MakeRung({.speedup = *speedup}, kDropTries - tries);
    if (status.code() == base::StatusCode::kNotFound) {
      job_.News(base::StrCat(*speedup, "x: ", status.message()));
      break;
    }
    HONE_RETURN_IF_ERROR(status);
  }
  return KeepFastestWithin(max_drop);
}

Status Compressor::KeepFastestWithin(double max_drop) {
  // What was tried on the way stays as points; of those within the drop the fastest is a rung.
  const LadderRung* fastest = nullptr;
  for (const LadderRung& rung : job_.ladder.rungs) {
    if (Drop(rung) > max_drop) continue;
    if (fastest == nullptr || rung.speedup > fastest->speedup) fastest = &rung;
  }
  if (fastest == nullptr) {
    double least = INFINITY;
    for (const LadderRung& rung : job_.ladder.rungs) least = std::min(least, Drop(rung));
    Status why =
        base::NotFound("no rung stays within ", max_drop,
                       " points of the dense model; the best lost ", base::Fixed(least, 2));
    if (std::ranges::none_of(job_.ladder.rungs,
                             [&](const LadderRung& rung) { return Asked(rung); })) {
      return why;
    }
    Miss(base::StrCat("largest drop ", max_drop), why);
    std::erase_if(job_.ladder.rungs, [&](const LadderRung& rung) { return !Asked(rung); });
    return base::OkStatus();
  }
  const std::string chosen = fastest->path;
  std::erase_if(job_.ladder.rungs,
                [&](const LadderRung& rung) { return !Asked(rung) && rung.path != chosen; });
  for (LadderRung& rung : job_.ladder.rungs) {
    if (rung.path == chosen) rung.target.max_drop = max_drop;
  }
  return base::OkStatus();
}

// A refused target must be asked for otherwise, and OUT.partial would refuse that as another request's
// work. With nothing in it but the latency table it is not worth that; whoever tries many targets
// keeps the table with `hone profile-device`. Any other error before that leaves nothing behind either.
void Compressor::ForgetRefused(bool table_too) {
  env::FileSystem& files = job_.tools.files;
  const std::string& directory = job_.state->directory();
  const StatusOr<std::vector<std::string>> names = files.List(directory);
  if (!names.ok()) return;
  const bool only_table = std::ranges::all_of(*names, [&](const std::string& name) {
    return (table_too && name == "profile.json") || name == "state.json";
  });
  // Where it cannot be removed it stays; the refusal is what must be said.
  if (only_table) files.RemoveTree(directory).IgnoreError();
}

StatusOr<LadderReport> Compressor::Run() {
  StatusOr<LadderReport> ladder = MakeLadder();
  if (!ladder.ok() && job_.state) {
    ForgetRefused(ladder.status().code() == base::StatusCode::kNotFound);
  }
  return ladder;
}

StatusOr<LadderReport> Compressor::MakeLadder() {
  const CompressRequest& request = job_.request;
  job_.start_ns = job_.tools.now_ns();
  HONE_RETURN_IF_ERROR(CheckRequest(job_));
  HONE_RETURN_IF_ERROR(OpenWork(job_));
  HONE_RETURN_IF_ERROR(ReadInputs(job_));
  maker_.emplace(job_);
  HONE_RETURN_IF_ERROR(maker_->CheckTraining());
  HONE_RETURN_IF_ERROR(MeasureDevice(job_));
  targets_ = SortedTargets(job_);
  HONE_RETURN_IF_ERROR(CheckTargets(job_, targets_));
  HONE_RETURN_IF_ERROR(MakePlan(job_, TargetsLeft(0) + TriesLeft()));
  HONE_RETURN_IF_ERROR(MeasureDense(job_));
  HONE_RETURN_IF_ERROR(MakeTargets());
  const double max_drop = MaxDrop(request);
  if (max_drop > 0) HONE_RETURN_IF_ERROR(FindFastestWithin(max_drop));
  return FinishLadder(job_);
}

Status Compressor::MakeTargets() {
  from_ = job_.request.model;
  Status missed;
  for (std::size_t t = 0; t < targets_.size(); ++t) {
    const Status status = MakeRung(targets_[t], TargetsLeft(t) + TriesLeft());
    if (status.code() == base::StatusCode::kNotFound) {
      // Hours may lie in the other rungs, and asked for again this one would be missed again.
      Miss(RungMaker::NameOf(targets_[t]), status);
      if (missed.ok()) missed = status;
      continue;
    }
    HONE_RETURN_IF_ERROR(status);
  }
  const bool none = job_.ladder.rungs.empty() && MaxDrop(job_.request) <= 0;
  return none ? missed : base::OkStatus();
}

void Compressor::Miss(const std::string& what, const Status& why) {
  job_.ladder.missed.push_back(base::StrCat(what, ": ", why.message()));
  job_.News(job_.ladder.missed.back());
}

// Of the targets from `first` on, those that no run has measured yet.
std::size_t Compressor::TargetsLeft(std::size_t first) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(targets_.begin() + static_cast<std::ptrdiff_t>(first), targets_.end(),
                            [&](const PruneTarget& target) { return !Measured(target); }));
}

std::size_t Compressor::TriesLeft() const {
  if (MaxDrop(job_.request) <= 0) return 0;
  const auto tried = static_cast<std::size_t>(std::ranges::count_if(
      job_.ladder.rungs, [&](const LadderRung& rung) { return !Asked(rung); }));
  return kDropTries - std::min(tried, kDropTries);
}

}  // namespace

StatusOr<LadderReport> Compress(const CompressRequest& request, const CompressTools& tools) {
  return Compressor(request, tools).Run();
}

}  // namespace hone::compress
