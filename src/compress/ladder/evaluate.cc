#include "compress/ladder/evaluate.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/check.h"
#include "base/strings.h"
#include "bench/forward_bench.h"
#include "compress/block_format.h"
#include "env/clock.h"
#include "eval/bootstrap.h"
#include "eval/metrics.h"
#include "eval/model_predictor.h"
#include "eval/run.h"
#include "eval/task_text.h"
#include "formats/summary.h"

namespace hone::compress {
namespace {

constexpr std::uint64_t kMaxDataBytes = std::uint64_t{4} << 30;
// Examples of a forward pass; a text's answer is the same in any batch.
constexpr int kBatch = 32;
constexpr std::uint64_t kBootstrapSeed = 1;

std::string FormatOf(const formats::StoredMatrix& matrix) {
  switch (matrix.kind) {
    case formats::StoredKind::kInt8: return "int8";
    case formats::StoredKind::kInt4: return "int4";
    case formats::StoredKind::kFloat: break;
  }
  return base::AsciiLower(tensor::NameOf(matrix.values.dtype));
}

std::string Shorten(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

std::string TextOf(const eval::Example& example) {
  std::string text = example.words.empty() ? example.text : eval::JoinWords(example.words);
  if (example.second) base::StrAppend(&text, " | ", *example.second);
  constexpr std::size_t kReadable = 400;
  return Shorten(std::move(text), kReadable);
}

std::string LabelName(const eval::Task& task, int label) {
  if (label >= 0 && static_cast<std::size_t>(label) < task.labels.size()) {
    return std::string(task.labels[static_cast<std::size_t>(label)]);
  }
  return label < 0 ? "none" : base::StrCat(label);
}

// An answer as people read it.
std::string Say(const eval::Task& task, const eval::Prediction& prediction) {
  switch (task.output) {
    case eval::Output::kLabel: return LabelName(task, prediction.label);
    case eval::Output::kScore: return base::Fixed(prediction.score, 3);
    case eval::Output::kAnswer: return prediction.answer.empty() ? "none" : prediction.answer;
    case eval::Output::kTags: return base::Join(prediction.tags, " ");
    case eval::Output::kJoint:
      return base::StrCat(prediction.intent, ": ", base::Join(prediction.tags, " "));
  }
  return "";
}

std::string SayExpected(const eval::Task& task, const eval::Example& example) {
  switch (task.output) {
    case eval::Output::kLabel: return LabelName(task, example.label);
    case eval::Output::kScore: return base::Fixed(example.score, 3);
    case eval::Output::kAnswer: return example.answers.empty() ? "none" : example.answers.front();
    case eval::Output::kTags: return base::Join(example.tags, " ");
    case eval::Output::kJoint:
      return base::StrCat(example.intent, ": ", base::Join(example.tags, " "));
  }
  return "";
}

}  // namespace

base::StatusOr<DevSet> ReadDevSet(env::FileSystem& files, const std::string& task,
                                  const std::string& path, const std::string& columns) {
  DevSet dev;
  HONE_ASSIGN_OR_RETURN(dev.task, eval::FindTask(task));
  dev.path = path;
  HONE_ASSIGN_OR_RETURN(const std::string bytes, files.Read(path, kMaxDataBytes));
  HONE_ASSIGN_OR_RETURN(dev.examples,
                        eval::ReadExamples(*dev.task, bytes, path, {.columns = columns}));
  return dev;
}

double PointUnit(const eval::Task& task) {
  return task.output == eval::Output::kAnswer ? 1.0 : 0.01;
}

base::StatusOr<Evaluation> Evaluate(runtime::TextModel& model, const DevSet& dev,
                                    const std::function<void(double)>& progress) {
  HONE_ASSIGN_OR_RETURN(const eval::Predictor predictor, eval::MakePredictor(*dev.task, model));
  eval::RunOptions options{.batch = kBatch, .now_ns = env::NowNs, .progress = {}};
  if (progress) {
    options.progress = [&](std::size_t done, std::size_t total) {
      progress(static_cast<double>(done) / static_cast<double>(total));
    };
  }
  HONE_ASSIGN_OR_RETURN(eval::Report report,
                        eval::Run(*dev.task, dev.examples, predictor, options));
  Evaluation evaluation;
  const std::string_view primary = dev.task->primary;
  const eval::Interval interval = eval::Bootstrap(
      *dev.task, primary, dev.examples.items, report.predictions, eval::kResamples, kBootstrapSeed);
  evaluation.metric = {std::string(primary), interval.value, interval.low, interval.high};
  evaluation.predictions = std::move(report.predictions);
  return evaluation;
}

ModelFigures DescribeModel(const model::Model& model) {
  ModelFigures figures;
  figures.width = model.config.width;
  figures.parameters = formats::Summarize(*model.checkpoint).parameters;
  figures.size_bytes = model.checkpoint->bytes();
  for (const auto& checkpoint : model.head.checkpoints) {
    figures.parameters += formats::Summarize(*checkpoint).parameters;
    figures.size_bytes += checkpoint->bytes();
  }
  std::vector<std::string> formats;
  for (std::size_t l = 0; l < model.weights.layers.size(); ++l) {
    const model::LayerShape& shape = model.config.layers[l];
    const model::LayerWeights& weights = model.weights.layers[l];
    LayerForm& form = figures.layers.emplace_back();
    form.heads = shape.heads;
    form.ffn = shape.ffn;
    if (shape.heads > 0) {
      form.attention_format =
          NameOfPair(FormatOf(weights.query.weight), FormatOf(weights.output.weight));
    }
    if (shape.ffn > 0) {
      form.ffn_format = NameOfPair(FormatOf(weights.up.weight), FormatOf(weights.down.weight));
    }
    for (const std::string& format : {form.attention_format, form.ffn_format}) {
      if (!format.empty()) formats.push_back(format);
    }
  }
  const bool one = std::ranges::adjacent_find(formats, std::not_equal_to<>()) == formats.end() &&
                   (formats.empty() || formats.front().find('+') == std::string::npos);
  figures.format = formats.empty() ? "none" : one ? formats.front() : "mixed";
  return figures;
}

std::vector<OperationTime> TimeOperations(runtime::LocalEngine& engine, int head_outputs,
                                          int vocabulary,
                                          const std::vector<std::vector<int>>& batches) {
  constexpr int kPasses = 10;
  bench::ForwardPasses passes(engine, head_outputs, vocabulary, batches);
  for (std::size_t b = 0; b < batches.size(); ++b) passes.Run(b);
  engine.StartProfile();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (std::size_t b = 0; b < batches.size(); ++b) passes.Run(b);
  }
  std::map<runtime::Op, double> seconds;
  for (const runtime::ProfileRow& row : engine.TakeProfile()) seconds[row.op] += row.seconds;
  std::vector<OperationTime> times;
  for (const auto& [op, sum] : seconds) {
    times.push_back({std::string(runtime::NameOf(op)),
                     sum * 1e3 / (kPasses * static_cast<double>(batches.size()))});
  }
  return times;
}

std::vector<ChangedAnswer> FindChanged(const DevSet& dev,
                                       const std::vector<eval::Prediction>& dense,
                                       const std::vector<eval::Prediction>& rung, std::size_t most,
                                       std::size_t* count) {
  const std::vector<eval::Example>& examples = dev.examples.items;
  HONE_CHECK(dense.size() == examples.size() && rung.size() == examples.size());
  std::vector<std::size_t> changed;
  if (dev.task->output == eval::Output::kScore) {
    std::vector<double> before, after;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      before.push_back(dense[i].score);
      after.push_back(rung[i].score);
    }
    const std::vector<double> old_ranks = eval::Ranks(before), new_ranks = eval::Ranks(after);
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const double moved = std::abs(old_ranks[i] - new_ranks[i]);
      if (moved > 0.1 * static_cast<double>(examples.size())) changed.push_back(i);
    }
  } else {
    for (std::size_t i = 0; i < examples.size(); ++i) {
      if (Say(*dev.task, dense[i]) != Say(*dev.task, rung[i])) changed.push_back(i);
    }
  }
  *count = changed.size();
  std::vector<ChangedAnswer> shown;
  const std::size_t kept = std::min(most, changed.size());
  for (std::size_t s = 0; s < kept; ++s) {
    const std::size_t i = changed[s * changed.size() / kept];
    shown.push_back({TextOf(examples[i]), SayExpected(*dev.task, examples[i]),
                     Say(*dev.task, dense[i]), Say(*dev.task, rung[i])});
  }
  return shown;
}

}  // namespace hone::compress
