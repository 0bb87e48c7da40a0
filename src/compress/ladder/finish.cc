#include "compress/ladder/finish.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "compress/report/report.h"
#include "formats/sha256.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;

// Changed answers that a report shows.
constexpr std::size_t kShown = 40;

StatusOr<std::unique_ptr<runtime::TextModel>> OpenModel(CompressJob& job,
                                                        const std::string& directory) {
  HONE_ASSIGN_OR_RETURN(model::Model model, model::Model::Open(job.tools.files, directory));
  return runtime::TextModel::FromModel(std::move(model), job.tokenizer, {.engine = job.engine()});
}

// Calls `use` with the name of every file below `directory`, relative to it.
Status ForEachFile(env::FileSystem& files, const std::string& directory, const std::string& prefix,
                   const std::function<Status(const std::string&)>& use) {
  HONE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                        files.List(prefix.empty() ? directory : env::JoinPath(directory, prefix)));
  for (const std::string& name : names) {
    const std::string relative = prefix.empty() ? name : env::JoinPath(prefix, name);
    if (files.IsDirectory(env::JoinPath(directory, relative))) {
      HONE_RETURN_IF_ERROR(ForEachFile(files, directory, relative, use));
    } else {
      HONE_RETURN_IF_ERROR(use(relative));
    }
  }
  return base::OkStatus();
}

Status CopyFile(env::FileSystem& files, const std::string& from, const std::string& to) {
  HONE_ASSIGN_OR_RETURN(const auto mapped, files.Map(from));
  HONE_ASSIGN_OR_RETURN(const auto file, files.Create(to));
  HONE_RETURN_IF_ERROR(file->Append(mapped->bytes()));
  return file->Commit();
}

Status CopyTree(env::FileSystem& files, const std::string& from, const std::string& to) {
  HONE_RETURN_IF_ERROR(files.MakeDirectory(to));
  return ForEachFile(files, from, "", [&](const std::string& name) -> Status {
    for (std::size_t slash = name.find('/'); slash != std::string::npos;
         slash = name.find('/', slash + 1)) {
      HONE_RETURN_IF_ERROR(files.MakeDirectory(env::JoinPath(to, name.substr(0, slash))));
    }
    return CopyFile(files, env::JoinPath(from, name), env::JoinPath(to, name));
  });
}

// Times the rung in turn with the dense model; returns the dense model's figures.
StatusOr<LatencyFigures> TimeRung(CompressJob& job, runtime::TextModel& model, double seconds,
                                  LadderRung* rung) {
  HONE_ASSIGN_OR_RETURN(const LatencyPair pair,
                        job.rig->Time(model.engine(), model.model(), rung->model.layers, seconds));
  rung->model.latency = pair.candidate;
  rung->speedup = pair.dense.p50_ms / pair.candidate.p50_ms;
  return pair.dense;
}

LatencyFigures Middle(std::vector<LatencyFigures> figures) {
  std::ranges::sort(figures, {}, &LatencyFigures::p50_ms);
  return figures[figures.size() / 2];
}

// Each rung beside the dense model alone, shortly after the other: the figures that stand in the ladder.
// Not all in one run: in one with three rungs a tiny dense model came out a sixth slower than beside one
// (docs/benchmarks-compression.md).
Status TimeAll(CompressJob& job) {
  if (job.elsewhere) return base::OkStatus();
  std::vector<LatencyFigures> dense;
  for (LadderRung& rung : job.ladder.rungs) {
    HONE_ASSIGN_OR_RETURN(const auto model, OpenModel(job, job.directories.at(rung.path)));
    job.Say(rung.path + ": timing", -1);
    HONE_ASSIGN_OR_RETURN(dense.emplace_back(), TimeRung(job, *model, 2 * job.timing_s, &rung));
  }
  if (!dense.empty()) job.ladder.dense.latency = Middle(dense);
  return base::OkStatus();
}

// The clock may have changed its mind since the search, or the levels may be too coarse.
void SayWhatIsOff(const CompressJob& job) {
  constexpr double kNear = 0.05;
  for (const LadderRung& rung : job.ladder.rungs) {
    const LadderTarget& target = rung.target;
    const double p50_ms = rung.model.latency.p50_ms;
    const double reached =
        target.speedup > 0 ? rung.speedup / target.speedup : target.latency_ms / p50_ms;
    if (target.max_drop > 0 || std::abs(reached - 1) <= kNear) continue;
    job.News(base::StrCat(rung.path, ": is ", base::Fixed(rung.speedup, 2), "x, ",
                          base::Fixed(p50_ms, 3),
                          " ms: ", base::Fixed(100 * std::abs(reached - 1), 0), " % ",
                          reached > 1 ? "faster" : "slower", " than asked for"));
  }
}

}  // namespace

StatusOr<LadderRung> MeasureRung(CompressJob& job, const std::string& name,
                                 const std::string& directory) {
  HONE_ASSIGN_OR_RETURN(const auto model, OpenModel(job, directory));
  LadderRung rung;
  rung.path = name;
  rung.recipe = job.request.recipe.name;
  rung.recipe_text = job.request.recipe.text;
  rung.model = DescribeModel(model->model());
  HONE_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(*model, job.dev, [&](double done) {
                          job.Say(name + ": evaluating", done);
                        }));
  rung.model.metric = evaluation.metric;
  rung.changed =
      FindChanged(job.dev, job.dense_answers, evaluation.predictions, kShown, &rung.changed_count);
  HONE_RETURN_IF_ERROR(TimeRung(job, *model, job.timing_s, &rung).status());
  if (!job.elsewhere) {
    rung.model.operations =
        TimeOperations(model->engine(), static_cast<int>(model->model().head.outputs.size()),
                       model->model().config.vocabulary, job.rig->batches());
  }
  return rung;
}

StatusOr<std::vector<formats::ManifestFile>> HashTree(env::FileSystem& files,
                                                      const std::string& directory) {
  std::vector<formats::ManifestFile> hashed;
  HONE_RETURN_IF_ERROR(ForEachFile(files, directory, "", [&](const std::string& name) -> Status {
    if (name == formats::kManifestFile) return base::OkStatus();
    HONE_ASSIGN_OR_RETURN(const auto mapped, files.Map(env::JoinPath(directory, name)));
    hashed.push_back({name, mapped->bytes().size(), formats::Sha256Hex(mapped->bytes())});
    return base::OkStatus();
  }));
  std::ranges::sort(hashed, {}, &formats::ManifestFile::name);
  return hashed;
}

StatusOr<LadderReport> FinishLadder(CompressJob& job) {
  env::FileSystem& files = job.tools.files;
  LadderReport& ladder = job.ladder;
  HONE_RETURN_IF_ERROR(TimeAll(job));
  SayWhatIsOff(job);
  std::ranges::stable_sort(ladder.rungs, std::greater<>(),
                           [](const LadderRung& rung) { return rung.model.latency.p50_ms; });
  const std::string place = job.state->Path("ladder");
  if (files.IsDirectory(place)) HONE_RETURN_IF_ERROR(files.RemoveTree(place));
  HONE_RETURN_IF_ERROR(files.MakeDirectory(place));
  for (const LadderRung& rung : ladder.rungs) {
    HONE_RETURN_IF_ERROR(
        CopyTree(files, job.directories.at(rung.path), env::JoinPath(place, rung.path)));
  }
  HONE_RETURN_IF_ERROR(
      env::WriteFile(files, env::JoinPath(place, kReportFile), RenderReport(ladder)));
  HONE_ASSIGN_OR_RETURN(ladder.files, HashTree(files, place));
  HONE_RETURN_IF_ERROR(
      env::WriteFile(files, env::JoinPath(place, formats::kManifestFile), ToJson(ladder)));
  HONE_RETURN_IF_ERROR(files.Move(place, job.request.out));
  HONE_RETURN_IF_ERROR(files.RemoveTree(job.state->directory()));
  return std::move(ladder);
}

}  // namespace hone::compress
