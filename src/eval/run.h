// Runs a task: examples in batches through a predictor, then metrics and latency.
//
//   eval::Predictor predict = [&](std::span<const eval::Example> batch) { …tokens, engine, head… };
//   HONE_ASSIGN_OR_RETURN(eval::Report report,
//                         eval::Run(task, examples, predict, {.now_ns = env::NowNs}));
//   std::cout << eval::ToJson(report) << "\n";
//
// The predictor is a plain function, so that nothing here knows engines, and a table of answers can
// stand in for one in tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "eval/example.h"
#include "eval/tasks.h"

namespace hone::eval {

// One prediction for each example of the batch (a CHECK), or why it cannot be done.
using Predictor =
    std::function<base::StatusOr<std::vector<Prediction>>(std::span<const Example> batch)>;

struct RunOptions {
  int batch = 1;                         // ≥ 1 (a CHECK)
  std::function<std::int64_t()> now_ns;  // a monotonic clock; required
  // Called after every batch; may be empty.
  std::function<void(std::size_t done, std::size_t total)> progress;
};

// Of the predictor's calls, tokenisation included where the predictor tokenises. A short last batch
// counts as a call like the others.
struct Latency {
  int batch = 1;
  double mean_ms = 0, p50_ms = 0, p95_ms = 0, p99_ms = 0;
  double examples_per_s = 0;
};

struct Report {
  std::string task;
  std::size_t n = 0;
  std::size_t skipped = 0;    // bad rows of the file that were left out
  std::size_t truncated = 0;  // examples whose prediction says so
  Metrics metrics;
  Latency latency;
  std::vector<Prediction> predictions;  // one an example; not part of the JSON
};

// HONE_CHECKs that there are examples: readers give none but with an error.
base::StatusOr<Report> Run(const Task& task, const Examples& examples, const Predictor& predictor,
                           const RunOptions& options);

// {"task":…,"n":…,"metrics":{…},"latency":{…}}, and "skipped" or "truncated" where rows or
// examples were. A metric that is not
// a number is null.
std::string ToJson(const Report& report);

}  // namespace hone::eval
