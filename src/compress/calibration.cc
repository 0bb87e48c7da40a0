#include "compress/calibration.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "base/check.h"
#include "base/strings.h"
#include "eval/task_text.h"
#include "runtime/answer_question.h"

namespace hone::compress {
namespace {

using text::Encoding;

// `count` of `total` indices, ascending; all where there are fewer. Written out, so that a seed
// chooses the same everywhere: the standard leaves std::shuffle's sequence open.
std::vector<std::size_t> Choose(std::size_t total, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> all(total);
  std::iota(all.begin(), all.end(), std::size_t{0});
  if (count >= total) return all;
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < count; ++i) std::swap(all[i], all[i + random() % (total - i)]);
  all.resize(count);
  std::ranges::sort(all);
  return all;
}

// Collects encoded texts by their numbers, then lays them out in batches.
class Collector {
 public:
  Collector(const text::Tokenizer& tokenizer, const model::Model& model,
            const CalibrationOptions& options)
      : tokenizer_(tokenizer),
        types_(model.config.token_types > 1),
        max_tokens_(options.max_tokens > 0 ? std::min(options.max_tokens, model.max_text_tokens)
                                           : model.max_text_tokens),
        tokens_per_batch_(options.tokens_per_batch) {}

  void Add(std::size_t number, std::string_view text) {
    Encoding encoding;
    tokenizer_.Encode(text, {.max_tokens = max_tokens_}, &encoding);
    Add(number, std::move(encoding));
  }
  void AddPair(std::size_t number, std::string_view text, std::string_view second) {
    Encoding encoding;
    tokenizer_.EncodePair(text, second, {.max_tokens = max_tokens_}, &encoding);
    Add(number, std::move(encoding));
  }
  base::Status AddWindow(std::size_t number, const eval::Example& example);

  base::Status Batch(Calibration* calibration);

 private:
  struct Text {
    std::size_t number;
    Encoding encoding;
  };

  void Add(std::size_t number, Encoding encoding) {
    if (!encoding.ids.empty()) texts_.push_back({number, std::move(encoding)});
  }

  const text::Tokenizer& tokenizer_;
  bool types_;
  int max_tokens_, tokens_per_batch_;
  std::vector<Text> texts_;
};

// The window that holds the answer whole where one does, else the first.
base::Status Collector::AddWindow(std::size_t number, const eval::Example& example) {
  Encoding pair;
  tokenizer_.EncodePair(example.text, example.pair(), {}, &pair);
  HONE_ASSIGN_OR_RETURN(std::vector<Encoding> windows,
                        runtime::CutIntoWindows(pair, max_tokens_, eval::kAnswerStride));
  const std::size_t begin =
      example.answers.empty() ? std::string_view::npos : example.pair().find(example.answers[0]);
  std::size_t best = 0;
  if (begin != std::string_view::npos) {
    const std::size_t end = begin + example.answers[0].size();
    const auto holds = [&](const Encoding& window) {
      std::size_t from = std::string_view::npos, to = 0;
      for (std::size_t t = 0; t < window.ids.size(); ++t) {
        if (window.sequence[t] != 1) continue;
        from = std::min(from, std::size_t{window.offsets[t].begin});
        to = std::max(to, std::size_t{window.offsets[t].end});
      }
      return from <= begin && end <= to;
    };
    const auto found = std::ranges::find_if(windows, holds);
    if (found != windows.end()) best = static_cast<std::size_t>(found - windows.begin());
  }
  if (!windows.empty()) Add(number, std::move(windows[best]));
  return base::OkStatus();
}

base::Status Collector::Batch(Calibration* calibration) {
  if (texts_.empty()) return base::BadInput("calibration: no text has a token");
  // Similar lengths together, so that attention's work is even; equal ones keep their order.
  std::ranges::stable_sort(texts_, {}, [](const Text& text) { return text.encoding.ids.size(); });
  for (const Text& text : texts_) {
    const std::size_t length = text.encoding.ids.size();
    if (calibration->batches.empty() ||
        calibration->batches.back().ids.size() + length >
            static_cast<std::size_t>(std::max(1, tokens_per_batch_))) {
      calibration->batches.emplace_back().begins.push_back(0);
    }
    CalibrationBatch& batch = calibration->batches.back();
    batch.ids.insert(batch.ids.end(), text.encoding.ids.begin(), text.encoding.ids.end());
    if (types_) {
      batch.types.insert(batch.types.end(), text.encoding.types.begin(), text.encoding.types.end());
    }
    batch.begins.push_back(static_cast<std::int32_t>(batch.ids.size()));
    batch.texts.push_back(text.number);
    calibration->tokens += length;
  }
  return base::OkStatus();
}

}  // namespace

base::StatusOr<Calibration> MakeCalibration(const eval::Examples& examples, const eval::Task& task,
                                            const text::Tokenizer& tokenizer,
                                            const model::Model& model,
                                            const CalibrationOptions& options) {
  if (examples.items.empty() || options.count == 0) {
    return base::BadInput("calibration: there is no example");
  }
  Calibration calibration;
  const bool apart = model.head.task == model::Task::kEmbedding;
  calibration.texts_per_example = apart ? 2 : 1;
  Collector collector(tokenizer, model, options);
  for (const std::size_t chosen : Choose(examples.items.size(), options.count, options.seed)) {
    const eval::Example& example = examples.items[chosen];
    const std::size_t number =
        calibration.examples.size() * static_cast<std::size_t>(calibration.texts_per_example);
    if (eval::TakesWords(task)) {
      collector.Add(number, eval::JoinWords(example.words));
    } else if (task.output == eval::Output::kAnswer) {
      HONE_RETURN_IF_ERROR(collector.AddWindow(number, example));
    } else if (apart) {
      collector.Add(number, example.text);
      if (example.second) collector.Add(number + 1, example.pair());
    } else if (example.second) {
      collector.AddPair(number, example.text, example.pair());
    } else {
      collector.Add(number, example.text);
    }
    calibration.examples.push_back(example);
  }
  HONE_RETURN_IF_ERROR(collector.Batch(&calibration));
  return calibration;
}

base::StatusOr<Calibration> MakeTextCalibration(std::string_view lines,
                                                const text::Tokenizer& tokenizer,
                                                const model::Model& model,
                                                const CalibrationOptions& options) {
  std::vector<std::string_view> texts;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") != std::string_view::npos) texts.push_back(line);
  }
  if (texts.empty() || options.count == 0) {
    return base::BadInput("calibration: there is no line of text");
  }
  Calibration calibration;
  Collector collector(tokenizer, model, options);
  for (const std::size_t chosen : Choose(texts.size(), options.count, options.seed)) {
    collector.Add(calibration.examples.size(), texts[chosen]);
    calibration.examples.emplace_back().text = std::string(texts[chosen]);
  }
  HONE_RETURN_IF_ERROR(collector.Batch(&calibration));
  return calibration;
}

CalibrationStream::CalibrationStream(const Calibration& data, int width)
    : data_(data), width_(static_cast<std::size_t>(width)) {
  for (const CalibrationBatch& batch : data.batches) {
    hidden_.emplace_back(batch.ids.size() * width_);
  }
}

void CalibrationStream::Start(runtime::LocalEngine& engine) {
  for (std::size_t b = 0; b < hidden_.size(); ++b) {
    engine.Forward({0, 0}, data_.batches[b].batch(), hidden_[b]);
  }
}

void CalibrationStream::RunLayer(runtime::LocalEngine& engine, int layer,
                                 std::span<const runtime::Tap> taps, bool advance,
                                 const std::function<void(const LayerInputs&)>& use) {
  for (std::size_t b = 0; b < hidden_.size(); ++b) {
    const LayerInputs& inputs = RunBatch(engine, layer, taps, advance, b);
    if (use) use(inputs);
  }
}

const LayerInputs& CalibrationStream::RunBatch(runtime::LocalEngine& engine, int layer,
                                               std::span<const runtime::Tap> taps, bool advance,
                                               std::size_t b) {
  const CalibrationBatch& batch = data_.batches[b];
  const std::array<int, runtime::kTapCount> widths = engine.tap_widths(layer);
  // Room beforehand: workers copy at once.
  for (std::vector<float>& rows : inputs_.rows_) rows.clear();
  for (const runtime::Tap tap : taps) {
    const auto t = static_cast<std::size_t>(tap);
    inputs_.rows_[t].resize(batch.ids.size() * static_cast<std::size_t>(widths[t]));
  }
  engine.SetTap([&](const runtime::TappedRows& rows) {
    std::vector<float>& all = inputs_.rows_[static_cast<std::size_t>(rows.tap)];
    if (rows.layer != layer || all.empty()) return;
    float* to = all.data() + static_cast<std::ptrdiff_t>(rows.first_row) * rows.width;
    for (int r = 0; r < rows.rows; ++r, to += rows.width) {
      std::copy_n(rows.x + r * rows.stride, rows.width, to);
    }
  });
  inputs_.batch_ = b;
  inputs_.before_ = hidden_[b];
  inputs_.after_ = hidden_[b];
  engine.Forward({layer, layer + 1}, batch.batch(), inputs_.after_);
  engine.SetTap({});
  if (advance) hidden_[b] = inputs_.after_;
  return inputs_;
}

}  // namespace hone::compress
