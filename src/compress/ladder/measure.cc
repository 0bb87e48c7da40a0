#include "compress/ladder/measure.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compress/ladder/evaluate.h"
#include "compress/latency/measure_profile.h"
#include "env/cpus.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;

constexpr std::uint64_t kMaxProfileBytes = 64 << 20;
constexpr double kProfileSeconds = 20;

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

double MeanOf(const std::vector<int>& lengths) {
  return std::accumulate(lengths.begin(), lengths.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(lengths.size(), 1));
}

LadderDevice Describe(const CompressJob& job, const Workload& workload) {
  LadderDevice device;
  device.processor = job.profile.processor;
  device.isa = job.profile.isa;
  device.threads = workload.threads;
  device.batch = workload.batch;
  device.tokens_mean = MeanOf(workload.lengths);
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

// Times of this device are compared with the clock, so they must be of what the clock will see.
Status CheckForWorkload(const DeviceProfile& profile, const Workload& workload,
                        const std::string& path) {
  constexpr double kNear = 0.1;  // of the mean length: the profile ranks, the clock corrects
  const Workload& was = profile.workload;
  const double mean = MeanOf(MiddleLengths(workload.lengths)), then = MeanOf(was.lengths);
  if (was.threads == workload.threads && was.batch == workload.batch &&
      std::abs(mean - then) <= kNear * then) {
    return base::OkStatus();
  }
  return base::BadInput(path, ": was measured with ", was.threads, " threads, batch ", was.batch,
                        " and texts of ", base::Fixed(then, 0), " tokens; this run has ",
                        workload.threads, ", ", workload.batch, " and ", base::Fixed(mean, 0),
                        " (-t, -b, -s and --lengths, here or of hone profile-device)");
}

// Another device's times are all there is, so its profile says what is compressed for; a -s, --lengths
// or -b that says otherwise would be passed over in silence.
Status CheckElsewhere(const CompressJob& job, const Workload& asked) {
  const CompressRequest& request = job.request;
  const std::string& path = request.device_profile;
  const Workload& was = job.profile.workload;
  if (!job.profile.Has(quant::Format::kF32)) {
    return base::BadInput(path, ": has no times for f32, the measure of every speed-up");
  }
  for (const Stage& stage : request.recipe.stages) {
    const auto* narrow = std::get_if<NarrowStage>(&stage.what);
    if (narrow == nullptr) continue;
    return base::BadInput(request.recipe.path, ":", stage.line, ": narrow: ", path,
                          " has times for models of width ", job.profile.width, ", none of width ",
                          narrow->width, ", and another device cannot be timed here");
  }
  const bool lengths = request.sequence > 0 || !request.lengths.empty();
  if ((lengths && std::abs(MeanOf(MiddleLengths(asked.lengths)) - MeanOf(was.lengths)) > 0.5) ||
      (request.batch > 1 && request.batch != was.batch)) {
    return base::BadInput(path, ": was measured with batch ", was.batch, " and texts of ",
                          base::Fixed(MeanOf(was.lengths), 0),
                          " tokens; leave out -b, -s and --lengths, or give a profile of those");
  }
  return base::OkStatus();
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

}  // namespace

Status MeasureDevice(CompressJob& job) {
  const CompressRequest& request = job.request;
  HONE_ASSIGN_OR_RETURN(Workload workload, MakeWorkload(job));
  const std::string path = job.state->Path("profile.json");
  if (!request.device_profile.empty()) {
    HONE_ASSIGN_OR_RETURN(job.profile, ReadProfile(job, request.device_profile));
    job.elsewhere = !CheckForDevice(job.profile, request.isa, request.device_profile).ok() ||
                    job.profile.processor != env::ProcessorName();
    if (job.elsewhere) {
      HONE_RETURN_IF_ERROR(CheckElsewhere(job, workload));
      workload = job.profile.workload;
      job.News(base::StrCat("compressing for ", job.profile.processor, " (", job.profile.isa, "), ",
                            workload.threads, " threads, batch ", workload.batch, ", texts of ",
                            base::Fixed(MeanOf(workload.lengths), 0),
                            " tokens: latencies are its profile's predictions, nothing is timed "
                            "here"));
    } else {
      HONE_RETURN_IF_ERROR(CheckForWorkload(job.profile, workload, request.device_profile));
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
