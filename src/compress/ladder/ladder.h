// The ladder: what `hone compress` leaves behind. OUT/hone.json holds it, beside one model directory
// a rung; the same JSON goes to standard output with -o json, and report.html is drawn from it.
//
//   {"schema": 1, "kind": "ladder", "tool": "hone 0.1.0", "task": "sst2", "source": "minilm-sst2",
//    "device": {"processor": …, "isa": …, "threads": 2, "batch": 1, "tokens": {"mean": …, "lengths": […]}},
//    "dense": {"format": "f32", "latency": {…}, "metric": {…}, "parameters": …, "size_bytes": …,
//              "layers": [{"heads": 12, "ffn": 1536, …}, …], "operations": [{"name", "ms"}, …]},
//    "rungs": [{"path": "2x", "recipe": "balanced", "target": {"speedup": 2}, "speedup": 2.04,
//               "latency": {"p50_ms", "p95_ms", "p99_ms"}, "metric": {"name", "value", "low", "high"},
//               "parameters": …, "size_bytes": …, "layers": […], "operations": […],
//               "recipe_text": …, "changed": […]}, …],
//    "points": [{"stage": "search", "rung": "2x", "latency_ms": …, "metric": …, …}, …],
//    "files": {"2x/config.json": {"bytes": 612, "sha256": "…"}, …}}
//
// The keys of dense, device, task and of a rung up to size_bytes are a contract with scripts.
// Rungs are in the order of their latency, the slowest (and as a rule most accurate) first.
// Metrics are in their own unit (accuracy 0.913, SQuAD F1 88.5), as `hone eval` prints them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "compress/latency/latency.h"
#include "env/file.h"
#include "formats/artefact.h"

namespace hone::compress {

// The task's primary metric on the dev file, and the interval that holds it with 95 % confidence
// (eval/bootstrap.h).
struct MetricFigure {
  std::string name;
  double value = 0, low = 0, high = 0;
};

struct LayerForm {
  int heads = 0, ffn = 0;  // 0: that block is gone
  // "int8", "f32", …; "int4+int8" where a block's matrices differ (block_format.h); empty where it is gone
  std::string attention_format, ffn_format;
};

// Time of one operation in a forward pass, all layers and workers together.
struct OperationTime {
  std::string name;  // runtime::NameOf
  double ms = 0;
};

// What is known of a model, dense or compressed.
struct ModelFigures {
  std::string format;  // "f32", "int8", "mixed"
  LatencyFigures latency;
  MetricFigure metric;
  std::uint64_t parameters = 0;
  std::uint64_t size_bytes = 0;  // of its weights' files
  int width = 0;
  std::vector<LayerForm> layers;
  std::vector<OperationTime> operations;
};

// An example of the dev file whose answer differs between the dense model and the rung.
struct ChangedAnswer {
  std::string text;  // with the second text after " | " where there is one
  std::string expected, dense, rung;
};

// What was asked for: one of the three is above 0.
struct LadderTarget {
  double speedup = 0;
  double latency_ms = 0;
  double max_drop = 0;  // points: the fastest within it
};

struct LadderRung {
  std::string path;    // of the directory, relative to the ladder's
  std::string recipe;  // its name
  std::string recipe_text;
  LadderTarget target;
  double speedup = 0;  // dense f32 p50 / p50, measured in turn in one run
  ModelFigures model;
  std::vector<ChangedAnswer> changed;  // at most a few dozen, evenly taken
  std::size_t changed_count = 0;       // of all
};

// Anything that was measured on the way.
struct LadderPoint {
  std::string stage;       // "dense", "search" (a candidate), "prune", "distill", "rung"
  std::string rung;        // for which it was made; empty: none
  double latency_ms = 0;   // p50
  bool predicted = false;  // latency from the device profile, not from a run
  double metric = 0;       // primary metric of the dev file; NaN where only the loss was taken
  double loss = 0;         // calibration loss; NaN where it was not taken
  std::uint64_t size_bytes = 0;  // 0: unknown
};

struct LadderDevice {
  std::string processor, isa;
  int threads = 1, batch = 1;
  double tokens_mean = 0;  // of the texts that were timed
  int tokens_low = 0, tokens_high = 0;
  std::vector<int> lengths;  // of texts that stand for all, in batches one after the other
  // True where latencies are predictions for another device (--device): nothing here ran on it.
  bool predicted = false;
};

struct LadderReport {
  std::string tool, task, source;
  LadderDevice device;
  std::size_t dev_examples = 0;
  ModelFigures dense;
  std::vector<LadderRung> rungs;
  std::vector<LadderPoint> points;
  std::vector<formats::ManifestFile> files;  // everything in the directory but hone.json
  // What was asked for and no model can be, with the reason: of this run, not in the JSON.
  std::vector<std::string> missed;
};

std::string ToJson(const LadderReport& ladder);

// `path` names the text in errors. Bounded by the text's own size.
base::StatusOr<LadderReport> ParseLadder(std::string_view json, const std::string& path);

// True where the directory's hone.json is a ladder's (and not one model's).
bool IsLadder(env::FileSystem& files, const std::string& directory);
base::StatusOr<LadderReport> ReadLadder(env::FileSystem& files, const std::string& directory);

// The rung meant by `name`: a path, or an index from 0. An error lists what there is.
base::StatusOr<const LadderRung*> FindRung(const LadderReport& ladder, const std::string& name);
// The most accurate rung whose p95 is within the deadline; an error names the fastest.
base::StatusOr<const LadderRung*> RungWithin(const LadderReport& ladder, double deadline_ms);

}  // namespace hone::compress
