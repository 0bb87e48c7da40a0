#include "eval/run.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/json.h"
#include "base/percentile.h"

namespace hone::eval {
namespace {

constexpr double kNsPerMs = 1e6;

Latency Summarise(const std::vector<double>& call_ms, std::size_t examples, int batch) {
  const double total_ms = std::accumulate(call_ms.begin(), call_ms.end(), 0.0);
  Latency latency;
  latency.batch = batch;
  latency.mean_ms = total_ms / static_cast<double>(call_ms.size());
  latency.p50_ms = base::Percentile(call_ms, 0.50);
  latency.p95_ms = base::Percentile(call_ms, 0.95);
  latency.p99_ms = base::Percentile(call_ms, 0.99);
  if (total_ms > 0) latency.examples_per_s = static_cast<double>(examples) * 1e3 / total_ms;
  return latency;
}

}  // namespace

base::StatusOr<Report> Run(const Task& task, const Examples& examples, const Predictor& predictor,
                           const RunOptions& options) {
  HONE_CHECK(options.batch >= 1 && options.now_ns && !examples.items.empty());
  const std::span<const Example> all(examples.items);
  std::vector<Prediction> predictions;
  predictions.reserve(all.size());
  std::vector<double> call_ms;
  while (predictions.size() < all.size()) {
    const std::size_t begin = predictions.size();
    const std::size_t count = std::min(static_cast<std::size_t>(options.batch), all.size() - begin);
    const std::int64_t before_ns = options.now_ns();
    base::StatusOr<std::vector<Prediction>> batch = predictor(all.subspan(begin, count));
    const std::int64_t after_ns = options.now_ns();
    if (!batch.ok()) {
      return base::Annotate(
          batch.status(), base::StrCat(examples.path, examples.path.empty() ? "" : ": ", "example ",
                                       begin + 1, " of ", all.size()));
    }
    HONE_CHECK(batch->size() == count);
    std::move(batch->begin(), batch->end(), std::back_inserter(predictions));
    call_ms.push_back(static_cast<double>(after_ns - before_ns) / kNsPerMs);
    if (options.progress) options.progress(predictions.size(), all.size());
  }
  Report report;
  report.task = std::string(task.name);
  report.n = all.size();
  report.skipped = examples.skipped;
  report.truncated = static_cast<std::size_t>(
      std::ranges::count_if(predictions, [](const Prediction& p) { return p.truncated; }));
  report.metrics = task.score(all, predictions);
  report.latency = Summarise(call_ms, all.size(), options.batch);
  report.predictions = std::move(predictions);
  return report;
}

std::string ToJson(const Report& report) {
  constexpr int kDigits = 6;
  base::JsonWriter json;
  json.BeginObject().Key("task").String(report.task);
  json.Key("n").Int(static_cast<std::int64_t>(report.n));
  if (report.skipped > 0) json.Key("skipped").Int(static_cast<std::int64_t>(report.skipped));
  if (report.truncated > 0) json.Key("truncated").Int(static_cast<std::int64_t>(report.truncated));
  json.Key("metrics").BeginObject();
  for (const auto& [name, value] : report.metrics) json.Key(name).Double(value, kDigits);
  json.EndObject();
  const Latency& latency = report.latency;
  json.Key("latency").BeginObject().Key("batch").Int(latency.batch);
  json.Key("mean_ms").Double(latency.mean_ms, kDigits);
  json.Key("p50_ms").Double(latency.p50_ms, kDigits);
  json.Key("p95_ms").Double(latency.p95_ms, kDigits);
  json.Key("p99_ms").Double(latency.p99_ms, kDigits);
  json.Key("examples_per_s").Double(latency.examples_per_s, kDigits);
  json.EndObject().EndObject();
  return json.Take();
}

}  // namespace hone::eval
