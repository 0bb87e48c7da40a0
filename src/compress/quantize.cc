#include "compress/quantize.h"

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/thread_pool.h"
#include "base/version.h"
#include "compress/companions.h"
#include "compress/tensor_plan.h"
#include "formats/artefact.h"
#include "formats/checkpoint.h"
#include "formats/quantization_config.h"
#include "model/config.h"
#include "model/weights.h"
#include "quant/int4.h"

namespace hone::compress {
namespace {

using base::Status;
using base::StatusOr;
using formats::TensorToWrite;
using quant::Format;

constexpr std::uint64_t kMaxJsonBytes = 16 << 20;

// Names of the layers' matrices; a module whose rows several places share appears once.
std::set<std::string> LayerModules(const model::EncoderWeights& weights) {
  std::set<std::string> modules;
  for (const model::LayerWeights& layer : weights.layers) {
    for (const model::Linear* linear :
         {&layer.query, &layer.key, &layer.value, &layer.output, &layer.up, &layer.down}) {
      if (!linear->weight.empty()) modules.insert(linear->weight.name);
    }
  }
  return modules;
}

// The embedding tables, and every other matrix with a row for each word (a fill-mask head's
// decoder).
std::set<std::string> EmbeddingTensors(const formats::Checkpoint& checkpoint,
                                       const model::EncoderWeights& weights,
                                       const model::ModelConfig& config) {
  std::set<std::string> names;
  for (const std::string& name : checkpoint.Names()) {
    const tensor::TensorView& view = *checkpoint.Find(name);
    const bool table = view.data == weights.word.values.data ||
                       view.data == weights.position.values.data ||
                       view.data == weights.type.values.data;
    const bool vocabulary = view.shape.rank() == 2 && view.shape[0] == config.vocabulary;
    if (view.shape.rank() == 2 && (table || vocabulary)) names.insert(name);
  }
  return names;
}

// An expression for all modules that are `name` in some layer, whatever precedes the layers' list:
// "bert.encoder.layer.3.output.dense" → "re:(.*[.])?layer[.][0-9]+[.]output[.]dense$". The prefix
// is left open because transformers drops or adds it (AutoModel on a checkpoint with a head).
std::string TargetOf(const std::string& name) {
  std::vector<std::string> parts(1);
  for (const char c : name) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  const auto is_number = [](const std::string& part) {
    return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
  };
  const auto number = std::ranges::find_if(parts, is_number);
  auto part = number == parts.end() || number == parts.begin() ? parts.begin() : number - 1;
  std::string target = "re:(.*[.])?";
  for (bool first = true; part != parts.end(); ++part, first = false) {
    if (!first) target += "[.]";
    if (is_number(*part)) {
      target += "[0-9]+";
      continue;
    }
    for (const char c : *part) {
      if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_') target += '\\';
      target += c;
    }
  }
  return target + "$";
}

struct Selection {
  std::set<std::string> modules;  // to quantise
  formats::QuantizationConfig config;
};

// Chooses the modules, and words the choice for config.json.
Selection Select(const formats::Checkpoint& checkpoint, const model::EncoderWeights& weights,
                 Format format) {
  Selection selection;
  if (format == Format::kBF16) return selection;
  const bool int4 = format == Format::kInt4;
  formats::QuantizationGroup& group = selection.config.groups.emplace_back();
  group.kind = int4 ? formats::StoredKind::kInt4 : formats::StoredKind::kInt8;
  group.group = int4 ? quant::kInt4Group : 0;
  group.symmetric = !int4;
  std::set<std::string> targets;
  for (const std::string& module : LayerModules(weights)) {
    const tensor::TensorView* view = checkpoint.Find(module + ".weight");
    targets.insert(TargetOf(module));
    if (view != nullptr && (!int4 || view->shape[1] % quant::kInt4Group == 0)) {
      selection.modules.insert(module);
    } else {
      selection.config.ignore.push_back(module);
    }
  }
  group.targets.assign(targets.begin(), targets.end());
  return selection;
}

// config.json with the type of the new weights and how they are quantised; the rest as it was.
std::string NewConfig(const base::JsonValue& config, Format format,
                      const formats::QuantizationConfig& quantization) {
  base::JsonWriter json(2);
  json.BeginObject();
  for (const base::JsonValue member : config) {
    const std::string_view key = member.key();
    if (key == "torch_dtype" || key == "dtype" || key == "quantization_config") continue;
    json.Key(key).Value(member);
  }
  json.Key("torch_dtype").String(format == Format::kBF16 ? "bfloat16" : "float32");
  if (!quantization.groups.empty()) {
    json.Key("quantization_config");
    formats::WriteQuantizationConfig(quantization, &json);
  }
  return json.EndObject().Take() + "\n";
}

// Wraps every producer so that it reports the bytes it gave.
void Report(std::vector<TensorToWrite>* tensors, const QuantizeProgress& progress) {
  if (!progress) return;
  struct Count {
    std::uint64_t done = 0, total = 0;
  };
  const auto count = std::make_shared<Count>();
  for (TensorToWrite& tensor : *tensors) {
    count->total += static_cast<std::uint64_t>(tensor.shape.elements()) * SizeOf(tensor.dtype);
    tensor.produce = [count, progress,
                      produce = std::move(tensor.produce)](const formats::ByteSink& sink) {
      return produce([&](std::span<const std::byte> bytes) {
        count->done += bytes.size();
        progress(count->done, count->total);
        return sink(bytes);
      });
    };
  }
}

}  // namespace

Status QuantizeDirectory(env::FileSystem& files, const std::string& in, Format format,
                         const std::string& out, const QuantizeOptions& options,
                         const QuantizeProgress& progress) {
  if (format == Format::kF32) {
    return base::BadInput("f32 is the format of the source; expected bf16, int8 or int4");
  }
  const std::string config_path = env::JoinPath(in, "config.json");
  HONE_ASSIGN_OR_RETURN(const std::string config_text, files.Read(config_path, kMaxJsonBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(config_text, config_path));
  if (const std::optional<base::JsonValue> present = json.root().Find("quantization_config")) {
    return base::BadInput(present->Where(),
                          ": the model is quantised already; quantise the "
                          "original");
  }
  HONE_ASSIGN_OR_RETURN(const model::ModelConfig config, model::ParseConfig(json.root()));
  HONE_ASSIGN_OR_RETURN(const std::shared_ptr<const formats::Checkpoint> checkpoint,
                        formats::Checkpoint::Open(files, in));
  HONE_ASSIGN_OR_RETURN(const model::EncoderWeights weights,
                        model::BindEncoder(config, *checkpoint));
  const Selection selection = Select(*checkpoint, weights, format);

  base::ThreadPool pool(options.threads);
  const PlanRequest request{
      *checkpoint, in, format, selection.modules, EmbeddingTensors(*checkpoint, weights, config),
      pool};
  HONE_ASSIGN_OR_RETURN(std::vector<TensorToWrite> tensors, PlanTensors(request));
  Report(&tensors, progress);

  HONE_ASSIGN_OR_RETURN(const std::unique_ptr<formats::ArtefactWriter> artefact,
                        formats::ArtefactWriter::Begin(files, out, options.replace));
  HONE_RETURN_IF_ERROR(CopyCompanions(files, in, {}, artefact.get()));
  HONE_RETURN_IF_ERROR(
      artefact->Write("config.json", NewConfig(json.root(), format, selection.config)));
  const std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"}};
  HONE_RETURN_IF_ERROR(artefact->WriteTensors("model.safetensors", std::move(tensors), metadata));
  return artefact->Commit({base::StrCat("hone ", base::kVersion),
                           LastComponent(in),
                           std::string(quant::NameOf(format)),
                           {}});
}

}  // namespace hone::compress
