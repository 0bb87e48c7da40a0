// What compression asks of training. The implementation (train/) is the only folder that sees
// libtorch; whoever compresses with training is handed one of these functions.
//
// Usage
//   compress::Trainer trainer = train::MakeTrainer(env::RealFileSystem());
//   HONE_ASSIGN_OR_RETURN(compress::TrainResult best, trainer(request, progress));
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/status.h"

namespace hone::compress {

// Weights of the parts of the loss; a teacher's parts are 0 without a teacher.
//   task         cross-entropy, squared error, or the contrastive/cosine loss of the task's head
//   logits       T²·KL(teacher ‖ student) of the head's logits; cosine distance for embeddings
//   hidden       mean over layers and tokens of mean((s-t)²)/(mean(t²)+ε); layers are mapped evenly
//                where their numbers differ, widths through a learned projection where they differ
//   relations    MiniLM: KL of the last layer's query-query, key-key and value-value relations
//   consistency  R-Drop: each text goes through twice, with dropout of its own each time, and both
//                answers shall agree: half the sum of KL both ways. The other parts are the mean of
//                both passes. Nearly twice the time of a step
// Source  Hinton 2015; METHODS of ZipLM (arXiv 2302.04089); MiniLMv2 (arXiv 2012.15828); R-Drop
//         (Liang et al. 2021, arXiv 2106.14448).
struct LossWeights {
  float task = 1, logits = 0, hidden = 0, relations = 0, consistency = 0;
  float temperature = 2;

  bool asks_teacher() const { return logits > 0 || hidden > 0 || relations > 0; }
  int passes() const { return consistency > 0 ? 2 : 1; }  // of each batch in a step
};

enum class Schedule : std::uint8_t { kLinear, kCosine, kConstant };

struct TrainRequest {
  std::string model;          // directory; its head is replaced to fit the task where it does not
  bool from_scratch = false;  // only its config.json and tokenizer: all weights are fresh
  std::string out;            // directory of the best checkpoint, an artefact like any other
  std::string task;           // eval::FindTask; "mlm" for masked-language pre-training; "none":
                              // distil from the texts alone
  std::vector<std::string> train;  // files; ".txt": lines of text alone, where loss.task is 0
  bool text_lines = false;         // they are that, whatever their names; loss.task must be 0
  std::string dev;                 // file; empty: no evaluation, the last step is the best
  std::string columns;
  std::string teacher;  // directory; empty: no distillation
  LossWeights loss;
  double epochs = 3;
  std::int64_t max_steps = 0;  // 0: as many as the epochs have
  double max_seconds = 0;      // 0: no limit. The schedule is laid out over what fits
  int batch = 32;              // texts a step
  int accumulate = 1;          // steps whose gradients are summed
  double learning_rate = 5e-5;
  double warmup = 0.1;  // share of all steps
  Schedule schedule = Schedule::kLinear;
  double weight_decay = 0.01;
  double clip = 1.0;  // of the gradient's norm; 0: none
  double dropout = 0.1;
  int evaluations_per_epoch = 2;  // on dev
  int patience = 0;               // evaluations without a better one, then stop; 0: never
  int max_tokens = 128;
  int min_tokens = 0;  // shorter texts are left out
  std::uint64_t seed = 1;
  int threads = 2;
  bool resume = false;  // from out + ".training", where it is there
  // Only what would be an error before the first step: files, labels, classes, memory, disk. Nothing is left.
  bool check_only = false;
  std::string log;  // JSON lines (or .csv); empty: none
};

struct TrainProgress {
  std::int64_t step = 0, steps = 0;
  double epoch = 0;
  double loss = 0;              // smoothed
  double metric = 0, best = 0;  // of dev, primary metric; NaN before the first
  double seconds_left = 0;
  double tokens_per_s = 0;
  std::string note;  // once: a warning, or what was foreseen
};

struct TrainResult {
  std::string metric;  // name
  double best = 0, last = 0;
  std::int64_t best_step = 0, steps = 0;
  double seconds = 0;
  std::vector<std::pair<std::int64_t, double>> evaluations;  // step, metric
};

using TrainReport = std::function<void(const TrainProgress&)>;
using Trainer = std::function<base::StatusOr<TrainResult>(const TrainRequest&, const TrainReport&)>;

}  // namespace hone::compress
