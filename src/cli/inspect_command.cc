// hone inspect: what is in a model directory, and what a token would cost.
#include <algorithm>
#include <cstdio>
#include <map>

#include "base/strings.h"
#include "cli/command.h"
#include "cli/model_flags.h"
#include "cli/table.h"
#include "env/file.h"
#include "formats/summary.h"
#include "formats/tokenizer_files.h"
#include "model/model.h"

namespace hone::cli {
namespace {

std::string_view NameOf(model::Task task) {
  switch (task) {
    case model::Task::kEmbedding: return "embedding";
    case model::Task::kSequenceClassification: return "sequence classification";
    case model::Task::kTokenClassification: return "token classification";
    case model::Task::kQuestionAnswering: return "question answering";
    case model::Task::kFillMask: return "fill-mask";
    case model::Task::kJoint: return "intent and slots";
  }
  return "";
}

std::string_view KindOf(const formats::StoredMatrix& matrix) {
  switch (matrix.kind) {
    case formats::StoredKind::kInt8: return "int8";
    case formats::StoredKind::kInt4: return "int4";
    case formats::StoredKind::kFloat: break;
  }
  return tensor::NameOf(matrix.values.dtype);
}

std::size_t StoredBytes(const formats::StoredMatrix& matrix) {
  return matrix.values.bytes() + (matrix.scale.empty() ? 0 : matrix.scale.bytes()) +
         (matrix.zero.empty() ? 0 : matrix.zero.bytes());
}

class InspectCommand : public Command {
 public:
  std::string name() const override { return "inspect"; }
  std::string summary() const override { return "show a model's layers, shapes, formats and cost"; }
  std::string example() const override { return "  hone inspect -m minilm"; }

  void AddFlags(Flags& flags) override {
    flags.Required("-m,--model", &flags_.model, "model directory (Hugging Face layout)");
    flags_.AddRung(flags);
    flags.Switch("--summary", &summary_, "only the summary, without the matrices");
    output_.Add(flags);
  }

  base::Status Run() override {
    HONE_ASSIGN_OR_RETURN(model_, flags_.Directory());
    HONE_ASSIGN_OR_RETURN(const model::Model model,
                          model::Model::Open(env::RealFileSystem(), model_));
    PrintSummary(model);
    if (summary_) return base::OkStatus();
    if (output_.format == "md") std::printf("\n");
    TableWriter table(output_.format);
    for (std::size_t l = 0; l < model.weights.layers.size(); ++l) {
      const model::LayerWeights& layer = model.weights.layers[l];
      for (const model::Linear* linear :
           {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
        if (!linear->weight.empty()) PrintMatrix(static_cast<int>(l), linear->weight, table);
      }
    }
    for (const model::HeadOutput& output : model.head.outputs) {
      for (const model::HeadStage& stage : output.stages) {
        if (!stage.dense.weight.empty()) PrintMatrix(-1, stage.dense.weight, table);
      }
    }
    return base::OkStatus();
  }

 private:
  void PrintSummary(const model::Model& model) const;
  static void PrintMatrix(int layer, const formats::StoredMatrix& matrix, TableWriter& table) {
    table.Write({{"layer", layer < 0 ? std::string("head") : base::StrCat(layer)},
                 {"matrix", matrix.name},
                 {"shape", base::StrCat(matrix.n, "x", matrix.k)},
                 {"format", KindOf(matrix)},
                 {"bytes", static_cast<std::int64_t>(StoredBytes(matrix))},
                 {"mflop_per_token", Cell(2e-6 * matrix.n * matrix.k, 3)}});
  }

  ModelFlags flags_;
  std::string model_;  // the directory
  bool summary_ = false;
  OutputFlag output_;
};

void InspectCommand::PrintSummary(const model::Model& model) const {
  const model::ModelConfig& config = model.config;
  std::int64_t matrix_parameters = 0;
  std::map<std::string_view, int> formats;
  int heads_low = 1 << 30, heads_high = 0, ffn_low = 1 << 30, ffn_high = 0;
  for (std::size_t l = 0; l < model.weights.layers.size(); ++l) {
    const model::LayerWeights& layer = model.weights.layers[l];
    for (const model::Linear* linear :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
      if (linear->weight.empty()) continue;
      matrix_parameters += std::int64_t{linear->weight.n} * linear->weight.k;
      ++formats[KindOf(linear->weight)];
    }
    heads_low = std::min(heads_low, config.layers[l].heads);
    heads_high = std::max(heads_high, config.layers[l].heads);
    ffn_low = std::min(ffn_low, config.layers[l].ffn);
    ffn_high = std::max(ffn_high, config.layers[l].ffn);
  }
  const auto range = [](int low, int high) {
    return low >= high ? base::StrCat(high) : base::StrCat(low, " to ", high);
  };
  std::string stored;
  for (const auto& [format, count] : formats) {
    base::StrAppend(&stored, stored.empty() ? "" : ", ", count, " matrices in ", format);
  }
  const base::StatusOr<std::unique_ptr<text::Tokenizer>> tokenizer =
      formats::OpenTokenizer(env::RealFileSystem(), model_);
  TableWriter table(output_.format);
  const auto write = [&](std::string_view what, const std::string& value) {
    table.Write({{"what", what}, {"value", value}});
  };
  write("architecture", config.architecture);
  write("head", std::string(NameOf(model.head.task)));
  write("labels", base::StrCat(model.head.labels.size()));
  write("layers", base::StrCat(config.layer_count()));
  write("width", base::StrCat(config.width));
  write("heads", base::StrCat(range(heads_low, heads_high), " of ", config.head_size));
  write("feed-forward", range(ffn_low, ffn_high));
  write("vocabulary", base::StrCat(config.vocabulary));
  write("longest text", base::StrCat(model.max_text_tokens, " tokens"));
  write("tokenizer", tokenizer.ok() ? base::StrCat((*tokenizer)->vocabulary_size(), " tokens")
                                    : tokenizer.status().message());
  write(
      "parameters",
      base::StrCat(base::WithCommas(formats::Summarize(*model.checkpoint).parameters), " (",
                   base::WithCommas(static_cast<std::uint64_t>(matrix_parameters)), " in layers)"));
  write("stored as", stored);
  write("embeddings in", std::string(KindOf(model.weights.word)));
  write("file size",
        base::StrCat(base::Fixed(static_cast<double>(model.checkpoint->bytes()) / 1048576.0, 1),
                     " MiB"));
  write("per token", base::StrCat(base::Fixed(2e-6 * static_cast<double>(matrix_parameters), 2),
                                  " Mflop, attention apart"));
}

}  // namespace

std::unique_ptr<Command> MakeInspectCommand() {
  return std::make_unique<InspectCommand>();
}

}  // namespace hone::cli
