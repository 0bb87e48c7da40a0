#include "compress/ladder/workload.h"

#include <algorithm>

#include "base/strings.h"
#include "eval/task_text.h"

namespace hone::compress {
namespace {

// Lengths that stand for all: enough for percentiles, few enough to be timed many times.
constexpr std::size_t kBatches = 64;
constexpr std::uint64_t kMaxTextBytes = std::uint64_t{1} << 30;

}  // namespace

std::vector<int> NaturalLengths(const eval::Task& task, const std::vector<eval::Example>& examples,
                                const runtime::TextModel& model) {
  const bool apart = model.model().head.task == model::Task::kEmbedding;
  const text::EncodeOptions options{.max_tokens = model.max_tokens()};
  std::vector<int> lengths;
  text::Encoding encoding;
  const auto add = [&] {
    if (!encoding.ids.empty()) lengths.push_back(static_cast<int>(encoding.ids.size()));
  };
  for (const eval::Example& example : examples) {
    if (eval::TakesWords(task)) {
      model.tokenizer().Encode(eval::JoinWords(example.words), options, &encoding);
    } else if (example.second && !apart) {
      model.tokenizer().EncodePair(example.text, example.pair(), options, &encoding);
    } else {
      model.tokenizer().Encode(example.text, options, &encoding);
      if (example.second) {
        add();
        model.tokenizer().Encode(example.pair(), options, &encoding);
      }
    }
    add();
  }
  return lengths;
}

base::StatusOr<std::vector<int>> LengthsOfLines(env::FileSystem& files, const std::string& path,
                                                const runtime::TextModel& model) {
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxTextBytes));
  std::vector<int> lengths;
  text::Encoding encoding;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    model.tokenizer().Encode(line, {.max_tokens = model.max_tokens()}, &encoding);
    if (!encoding.ids.empty()) lengths.push_back(static_cast<int>(encoding.ids.size()));
  }
  if (lengths.empty()) return base::BadInput(path, ": has no line with a token");
  return lengths;
}

std::vector<LayerForm> FormsOf(const model::Model& model, const ModuleFormats& formats,
                               quant::Format rest) {
  const auto name_of = [&](const model::Linear& linear) {
    const auto found = formats.find(linear.weight.name);
    return quant::NameOf(found == formats.end() ? rest : found->second);
  };
  std::vector<LayerForm> forms;
  for (std::size_t l = 0; l < model.config.layers.size(); ++l) {
    const model::LayerShape& shape = model.config.layers[l];
    const model::LayerWeights& layer = model.weights.layers[l];
    LayerForm& form = forms.emplace_back();
    form.heads = shape.heads;
    form.ffn = shape.ffn;
    if (form.heads > 0) {
      form.attention_format = NameOfPair(name_of(layer.query), name_of(layer.output));
    }
    if (form.ffn > 0) form.ffn_format = NameOfPair(name_of(layer.up), name_of(layer.down));
  }
  return forms;
}

base::StatusOr<double> PredictMs(const DeviceProfile& profile, const std::vector<LayerForm>& layers,
                                 bool gated_ffn) {
  // A block that is gone costs its norm, whatever the format; one in a format that the profile does
  // not know (f16 is computed in f32) counts as f32.
  const quant::Format any = profile.fixed.front().format;
  const auto format_of = [&](const std::string& name) {
    if (name.empty()) return BlockFormat{any, any};
    const base::StatusOr<BlockFormat> format = ParseBlockFormat(name);
    return format.ok() ? *format : BlockFormat{};
  };
  double total = 0, fixed = 0;
  for (const LayerForm& layer : layers) {
    const BlockFormat attention = format_of(layer.attention_format);
    const BlockFormat ffn = format_of(layer.ffn_format);
    HONE_ASSIGN_OR_RETURN(const double attention_ms,
                          profile.Cost(Block::kAttention, attention, layer.heads, gated_ffn));
    HONE_ASSIGN_OR_RETURN(const double ffn_ms,
                          profile.Cost(Block::kFeedForward, ffn, layer.ffn, gated_ffn));
    total += attention_ms + ffn_ms;
    for (const quant::Format format : {attention.in, attention.out, ffn.in, ffn.out}) {
      HONE_ASSIGN_OR_RETURN(const double ms, profile.Fixed(format));
      fixed = std::max(fixed, ms);
    }
  }
  return total + fixed;
}

LatencyRig::LatencyRig(runtime::TextModel& dense, Workload workload, const DeviceProfile* elsewhere)
    : dense_(dense),
      workload_(std::move(workload)),
      elsewhere_(elsewhere),
      batches_(RepresentativeBatches(workload_.lengths, workload_.batch, kBatches)),
      passes_(dense.engine(), static_cast<int>(dense.model().head.outputs.size()),
              dense.model().config.vocabulary, batches_) {}

base::StatusOr<LatencyFigures> LatencyRig::TimeDense(double seconds) {
  if (elsewhere_ != nullptr) {
    HONE_ASSIGN_OR_RETURN(const LatencyPair pair, Predict({}));
    return pair.dense;
  }
  bench::ForwardPasses* const one[] = {&passes_};
  return MeasureInTurn(one, seconds).front();
}

base::StatusOr<LatencyPair> LatencyRig::Predict(const std::vector<LayerForm>& layers) const {
  LatencyPair pair;
  HONE_ASSIGN_OR_RETURN(const double dense,
                        elsewhere_->Predict(dense_.model().config.layers, quant::Format::kF32));
  HONE_ASSIGN_OR_RETURN(const double candidate,
                        PredictMs(*elsewhere_, layers, dense_.model().config.gated_ffn));
  pair.dense = {dense, dense, dense};
  pair.candidate = {candidate, candidate, candidate};
  return pair;
}

base::StatusOr<LatencyPair> LatencyRig::Time(runtime::LocalEngine& candidate,
                                             const model::Model& model,
                                             const std::vector<LayerForm>& layers, double seconds) {
  if (elsewhere_ != nullptr) return Predict(layers);
  bench::ForwardPasses passes(candidate, static_cast<int>(model.head.outputs.size()),
                              model.config.vocabulary, batches_);
  bench::ForwardPasses* const both[] = {&passes_, &passes};
  return steady_.Time([&] {
    const std::vector<LatencyFigures> figures = MeasureInTurn(both, seconds);
    return LatencyPair{figures[0], figures[1]};
  });
}

}  // namespace hone::compress
