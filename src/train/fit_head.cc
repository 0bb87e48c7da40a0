#include "train/fit_head.h"

#include <algorithm>
#include <memory>
#include <set>

#include "base/json.h"
#include "base/version.h"
#include "eval/labels.h"
#include "formats/artefact.h"
#include "formats/directory.h"
#include "model/architecture.h"
#include "model/binder.h"
#include "train/fresh_checkpoint.h"

namespace hone::train {
namespace {

using base::Status;
using base::StatusOr;
using base::StrCat;
using model::Task;

constexpr std::uint64_t kMaxJsonBytes = 64 << 20;

constexpr std::string_view kTokenizerFiles[] = {
    "tokenizer.json", "tokenizer_config.json",   "vocab.txt",         "vocab.json",
    "merges.txt",     "special_tokens_map.json", "added_tokens.json", "tokenizer.model",
    "spiece.model",   "sentencepiece.bpe.model"};

// How transformers begins the class names of a `model_type`.
constexpr std::pair<std::string_view, std::string_view> kClassNames[] = {
    {"bert", "Bert"},           {"distilbert", "DistilBert"},  {"roberta", "Roberta"},
    {"camembert", "Camembert"}, {"xlm-roberta", "XLMRoberta"}, {"electra", "Electra"},
    {"mpnet", "MPNet"},         {"modernbert", "ModernBert"}};

// The class with this ending: as the model's present class begins, or as its type suggests.
std::string ClassName(const base::JsonValue& config, std::string_view ending) {
  if (const auto classes = config.Find("architectures"); classes && classes->size() == 1) {
    const base::JsonValue first = *classes->begin();
    if (const auto name = first.String(); name.ok() && !name->starts_with("Hone")) {
      const std::size_t end = std::min(name->find("For"), name->find("Model"));
      if (end != std::string_view::npos && end > 0) return StrCat(name->substr(0, end), ending);
    }
  }
  const auto type = config.StringOr("model_type", "bert");
  for (const auto& [model_type, name] : kClassNames) {
    if (type.ok() && *type == model_type) return StrCat(name, ending);
  }
  return StrCat("Bert", ending);
}

// A config.json that names no head: such a model embeds.
bool IsPlainEncoder(const base::JsonValue& config) {
  const auto classes = config.Find("architectures");
  if (!classes || classes->size() != 1) return true;
  const base::JsonValue first = *classes->begin();
  const auto name = first.String();
  return name.ok() && name->ends_with("Model");
}

std::string_view Ending(Task task) {
  switch (task) {
    case Task::kEmbedding: return "Model";
    case Task::kSequenceClassification: return "ForSequenceClassification";
    case Task::kTokenClassification: return "ForTokenClassification";
    case Task::kQuestionAnswering: return "ForQuestionAnswering";
    case Task::kFillMask: return "ForMaskedLM";
    case Task::kJoint: break;
  }
  return "ForIntentAndSlots";
}

void WriteLabels(std::string_view by_number, std::string_view by_name,
                 const std::vector<std::string>& labels, base::JsonWriter* json) {
  if (labels.empty()) return;
  json->Key(by_number).BeginObject();
  for (std::size_t i = 0; i < labels.size(); ++i) json->Key(StrCat(i)).String(labels[i]);
  json->EndObject();
  json->Key(by_name).BeginObject();
  for (std::size_t i = 0; i < labels.size(); ++i) {
    json->Key(labels[i]).Int(static_cast<std::int64_t>(i));
  }
  json->EndObject();
}

// config.json with the new head's class and labels; the rest as it was.
std::string NewConfig(const base::JsonValue& config, const HeadNeed& need) {
  static const std::set<std::string_view> kReplaced = {
      "architectures", "id2label",      "label2id",    "num_labels", "problem_type",
      "slot_id2label", "slot_label2id", "torch_dtype", "dtype"};
  base::JsonWriter json(2);
  json.BeginObject().Key("architectures").BeginArray();
  json.String(need.task == Task::kJoint ? "HoneForIntentAndSlots"
                                        : ClassName(config, Ending(need.task)));
  json.EndArray();
  for (const base::JsonValue member : config) {
    if (!kReplaced.contains(member.key())) json.Key(member.key()).Value(member);
  }
  WriteLabels("id2label", "label2id", need.labels, &json);
  WriteLabels("slot_id2label", "slot_label2id", need.slot_labels, &json);
  if (need.task == Task::kSequenceClassification) {
    json.Key("problem_type");
    json.String(need.problem == model::ProblemType::kRegression   ? "regression"
                : need.problem == model::ProblemType::kMultiLabel ? "multi_label_classification"
                                                                  : "single_label_classification");
  }
  json.Key("torch_dtype").String("float32");
  return json.EndObject().Take() + "\n";
}

// Modules that give a number for each label: of other labels they mean nothing.
std::set<std::string, std::less<>> LabelModules(const model::Architecture& architecture,
                                                const base::JsonValue& json,
                                                const model::ModelConfig& config) {
  std::set<std::string, std::less<>> modules = {"intent_classifier", "slot_classifier"};
  model::ConfigReader reader(json);
  const model::HeadPlans plans = architecture.heads(reader, config);
  for (const auto* stages : {&plans.sequence, &plans.tokens}) {
    for (const model::StagePlan& stage : *stages) {
      if (stage.width == model::StagePlan::kLabels) modules.insert(stage.dense);
    }
  }
  return modules;
}

// Every tensor that was asked for, as f32.
std::vector<formats::TensorToWrite> TensorsOf(const FreshCheckpoint& checkpoint) {
  std::vector<formats::TensorToWrite> tensors;
  for (const auto& [name, view] : checkpoint.asked()) {
    tensors.push_back(
        {name, tensor::DType::kF32, view.shape, [view = view](const formats::ByteSink& sink) {
           std::vector<float> values(static_cast<std::size_t>(view.shape.elements()));
           tensor::CopyToF32(view, 0, values);
           return sink(std::as_bytes(std::span(values)));
         }});
  }
  return tensors;
}

bool Includes(const std::vector<std::string>& all, const std::vector<std::string>& some) {
  return std::ranges::all_of(
      some, [&](const std::string& label) { return std::ranges::find(all, label) != all.end(); });
}

}  // namespace

bool Fits(const model::Head& head, const HeadNeed& need) {
  if (need.embedding_will_do && head.task == Task::kEmbedding) return true;
  if (head.task != need.task) return false;
  switch (need.task) {
    case Task::kSequenceClassification: {
      if (need.problem == model::ProblemType::kRegression) return head.outputs[0].width == 1;
      if (head.outputs[0].width == 1) return false;
      const std::vector<std::string_view> labels(need.labels.begin(), need.labels.end());
      return eval::MapModelLabels(labels, head.labels).ok();
    }
    case Task::kTokenClassification: return Includes(head.labels, need.labels);
    case Task::kJoint:
      return Includes(head.labels, need.labels) && Includes(head.slot_labels, need.slot_labels);
    default: return true;
  }
}

Status FitHead(env::FileSystem& files, const std::string& in, const HeadNeed& wanted,
               const FitOptions& options, const std::string& out) {
  HONE_ASSIGN_OR_RETURN(const std::string encoder, formats::EncoderDirectory(files, in));
  const std::string path = env::JoinPath(encoder, "config.json");
  HONE_ASSIGN_OR_RETURN(const std::string text, files.Read(path, kMaxJsonBytes));
  HONE_ASSIGN_OR_RETURN(const base::Json old, base::Json::Parse(text, path));
  if (old.root().Find("quantization_config") && !options.from_scratch) {
    return base::BadInput(path, ": the model is quantised; a new head goes onto the original");
  }
  HeadNeed need = wanted;
  if (need.embedding_will_do && IsPlainEncoder(old.root())) {
    need.task = Task::kEmbedding;
    need.labels.clear();
  }
  const std::string config_text = NewConfig(old.root(), need);
  HONE_ASSIGN_OR_RETURN(const base::Json json, base::Json::Parse(config_text, path));
  HONE_ASSIGN_OR_RETURN(const model::ModelConfig config, model::ParseConfig(json.root()));
  const model::Architecture* architecture = model::FindArchitecture(config.architecture);
  HONE_ASSIGN_OR_RETURN(const double deviation, json.root().DoubleOr("initializer_range", 0.02));

  std::shared_ptr<const formats::Checkpoint> base;
  std::string prefix(architecture->prefix), base_prefix;
  if (!options.from_scratch) {
    HONE_ASSIGN_OR_RETURN(base, formats::Checkpoint::Open(files, encoder));
    base_prefix = model::FindPrefix(*architecture, *base);
  }
  const auto fresh =
      std::make_shared<FreshCheckpoint>(base, prefix, base_prefix, options.seed, deviation);
  HONE_RETURN_IF_ERROR(model::BindEncoder(config, *fresh).status());
  fresh->MakeUpWhatIsAbsent();
  fresh->AlwaysFresh(LabelModules(*architecture, json.root(), config));
  // `out` is no directory yet: what lies in the old one (modules.json) does not speak for the new.
  HONE_RETURN_IF_ERROR(
      model::BindHead(files, out, json.root(), config, fresh, [](const std::string& directory) {
        return base::StatusOr<std::shared_ptr<const formats::Checkpoint>>(
            base::NotFound(directory, ": the new head has no folders"));
      }).status());

  HONE_ASSIGN_OR_RETURN(const auto artefact, formats::ArtefactWriter::Begin(files, out, false));
  for (const std::string_view name : kTokenizerFiles) {
    for (const std::string& from : {env::JoinPath(in, name), env::JoinPath(encoder, name)}) {
      if (!files.IsFile(from)) continue;
      HONE_RETURN_IF_ERROR(artefact->Copy(from, std::string(name)));
      break;
    }
  }
  HONE_RETURN_IF_ERROR(artefact->Write("config.json", config_text));
  const std::vector<std::pair<std::string, std::string>> metadata = {{"format", "pt"}};
  HONE_RETURN_IF_ERROR(artefact->WriteTensors("model.safetensors", TensorsOf(*fresh), metadata));
  return artefact->Commit({StrCat("hone ", base::kVersion), in, "f32", {}});
}

}  // namespace hone::train
