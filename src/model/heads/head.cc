#include "model/head.h"

#include "base/check.h"
#include "model/heads/head_kind.h"

namespace hone::model {

using base::StatusOr;
using base::StrCat;

#define HONE_HEAD(name) extern const HeadKind k##name##Head;
#include "model/heads/list.inc"
#undef HONE_HEAD

namespace {

constexpr const HeadKind* kHeads[] = {
#define HONE_HEAD(name) &k##name##Head,
#include "model/heads/list.inc"
#undef HONE_HEAD
};

// Names are made up before the weights show whether there are so many.
constexpr int kMaxUnnamedLabels = 1 << 16;

// The class name, "BertForSequenceClassification"; empty where config.json has none.
StatusOr<std::string> ClassName(const base::JsonValue& json) {
  const auto classes = json.Find("architectures");
  if (!classes) return std::string();
  if (!classes->IsArray() || classes->size() != 1) {
    return classes->Error("expected an array of one class name");
  }
  HONE_ASSIGN_OR_RETURN(const base::JsonValue first, classes->At(0));
  HONE_ASSIGN_OR_RETURN(const std::string_view name, first.String());
  return std::string(name);
}

StatusOr<const HeadKind*> FindKind(const HeadSource& source) {
  HONE_ASSIGN_OR_RETURN(const std::string name, ClassName(source.json));
  HONE_ASSIGN_OR_RETURN(const bool pooled, HasPoolingModule(source.files, source.directory));
  // Checkpoints published with both heads of their pre-training are taken for the encoder in them.
  if (pooled || name.empty() || name.ends_with("ForPreTraining")) return &kEmbeddingHead;
  std::string known;
  for (const HeadKind* kind : kHeads) {
    if (name.ends_with(kind->ending)) return kind;
    base::StrAppend(&known, known.empty() ? "" : ", ", kind->ending);
  }
  return base::Unsupported(source.json.Where(), ".architectures[0]: the head of \"", name,
                           "\" is not supported; Hone has names that end in ", known);
}

}  // namespace

StatusOr<std::vector<std::string>> ParseLabels(const base::JsonValue& json,
                                               std::string_view field) {
  const auto names = json.Find(field);
  std::vector<std::string> labels;
  if (!names) {
    ConfigReader reader(json);
    const int count = reader.IntOr("num_labels", 2, 1, kMaxUnnamedLabels);
    for (int i = 0; i < count; ++i) labels.push_back(StrCat("LABEL_", i));
    HONE_RETURN_IF_ERROR(reader.status());
    return labels;
  }
  if (!names->IsObject() || names->size() == 0) {
    return names->Error("expected an object of label names by number");
  }
  const auto count = static_cast<std::size_t>(names->size());
  labels.resize(count);
  std::vector<bool> seen(count);
  for (const base::JsonValue name : *names) {
    std::size_t index = count;
    const std::string_view key = name.key();
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
    if (error != std::errc() || end != key.data() + key.size() || index >= count || seen[index]) {
      return name.Error(StrCat("expected the numbers 0 to ", count - 1, ", each once"));
    }
    seen[index] = true;
    if (name.IsNumber()) {  // some configs number their classes
      labels[index] = StrCat(*name.Double());
    } else {
      HONE_ASSIGN_OR_RETURN(const std::string_view text, name.String());
      labels[index] = std::string(text);
    }
  }
  return labels;
}

StatusOr<std::vector<HeadStage>> BindStages(const HeadSource& source,
                                            std::span<const StagePlan> plans, int labels,
                                            std::string_view labels_field) {
  std::vector<HeadStage> stages;
  int width = source.config.width;
  for (const StagePlan& plan : plans) {
    const Binder& binder = plan.in_encoder ? source.encoder : source.top;
    int out = plan.width;
    if (plan.width == StagePlan::kWidth) out = source.config.width;
    if (plan.width == StagePlan::kEmbedding) out = source.config.embedding_width;
    if (plan.width == StagePlan::kLabels) out = labels;
    HeadStage& stage = stages.emplace_back();
    stage.activation = plan.activation;
    StatusOr<Linear> dense = binder.ReadLinear(plan.dense, out, width, plan.bias);
    if (!dense.ok() && plan.width == StagePlan::kLabels) {
      return base::Status(dense.status().code(),
                          StrCat(dense.status().message(), " (", source.json.Where(), ".",
                                 labels_field, " has ", labels, " labels)"));
    }
    HONE_RETURN_IF_ERROR(dense.status());
    stage.dense = *std::move(dense);
    if (!plan.norm.empty()) {
      HONE_ASSIGN_OR_RETURN(stage.norm, binder.ReadNorm(plan.norm, out, source.config.norm_bias));
    }
    width = out;
  }
  return stages;
}

StatusOr<Head> BindHead(env::FileSystem& files, const std::string& directory,
                        const base::JsonValue& config_json, const ModelConfig& config,
                        const std::shared_ptr<const formats::Checkpoint>& checkpoint,
                        const CheckpointOpener& open) {
  const Architecture* architecture = FindArchitecture(config.architecture);
  HONE_CHECK(architecture != nullptr);
  ConfigReader reader(config_json);
  const HeadPlans plans = architecture->heads(reader, config);
  HONE_RETURN_IF_ERROR(reader.status());
  const Binder encoder(*checkpoint, FindPrefix(*architecture, *checkpoint));
  const Binder top(*checkpoint, "");
  const HeadSource source{files, directory, config_json, config, *architecture,
                          plans, encoder,   top,         open};
  HONE_ASSIGN_OR_RETURN(const HeadKind* kind, FindKind(source));
  HONE_ASSIGN_OR_RETURN(Head head, kind->bind(source));
  for (HeadOutput& output : head.outputs) {
    output.width = output.stages.empty() ? config.width : output.stages.back().dense.weight.n;
  }
  return head;
}

}  // namespace hone::model
