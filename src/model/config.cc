#include "model/config.h"

#include <algorithm>

#include "model/architecture.h"
#include "model/config_reader.h"

namespace hone::model {

#define HONE_ARCHITECTURE(name) extern const Architecture k##name;
#include "model/architectures/list.inc"
#undef HONE_ARCHITECTURE

namespace {

constexpr const Architecture* kArchitectures[] = {
#define HONE_ARCHITECTURE(name) &k##name,
#include "model/architectures/list.inc"
#undef HONE_ARCHITECTURE
};

std::string KnownArchitectures() {
  std::string known;
  for (const Architecture* architecture : kArchitectures) {
    for (const std::string_view name : architecture->names) {
      base::StrAppend(&known, known.empty() ? "" : ", ", name);
    }
  }
  return known;
}

// hone_layers: [{"heads": 6, "ffn": 1024}, …], one for each layer: what compression left of it.
base::Status ApplyPrunedShapes(const base::JsonValue& json, ModelConfig* config) {
  const auto shapes = json.Find("hone_layers");
  if (!shapes) return base::OkStatus();
  if (!shapes->IsArray() || shapes->size() != config->layer_count()) {
    return shapes->Error(base::StrCat("expected an array of ", config->layer_count(),
                                      " objects, one for each layer"));
  }
  auto layer = config->layers.begin();
  for (const base::JsonValue shape : *shapes) {
    ConfigReader reader(shape);
    const int full_heads = layer->heads;
    layer->heads = reader.Int("heads", 0, full_heads);
    layer->ffn = reader.Int("ffn", 0, kMaxFeedForward);
    HONE_RETURN_IF_ERROR(reader.status());
    // The bias table has a column for each original head; which ones are left is not said.
    if (config->relative_buckets > 0 && layer->heads != 0 && layer->heads != full_heads) {
      return base::Unsupported(shape.Where(), ".heads: relative position bias allows ", full_heads,
                               " heads or none, found ", layer->heads);
    }
    ++layer;
  }
  return base::OkStatus();
}

}  // namespace

std::span<const Architecture* const> Architectures() {
  return kArchitectures;
}

const Architecture* FindArchitecture(std::string_view model_type) {
  for (const Architecture* architecture : kArchitectures) {
    for (const std::string_view name : architecture->names) {
      if (name == model_type) return architecture;
    }
  }
  return nullptr;
}

void SetLayers(ConfigReader& reader, int count, int heads, std::string_view heads_name, int ffn,
               std::string_view width_name, ModelConfig* config) {
  if (config->width % heads != 0) {
    reader.Fail(reader.json().Error(base::StrCat(
        width_name, " ", config->width, " is not a multiple of ", heads_name, " ", heads)));
  }
  config->head_size = std::max(1, config->width / heads);
  config->layers.assign(static_cast<std::size_t>(count), {.heads = heads, .ffn = ffn});
}

void ParseBertFields(ConfigReader& reader, ModelConfig* config) {
  config->width = reader.Int("hidden_size", 1, kMaxWidth);
  config->embedding_width = config->width;
  config->vocabulary = reader.Int("vocab_size", 1, kMaxVocabulary);
  config->max_tokens = reader.Int("max_position_embeddings", 1, kMaxPositions);
  config->activation = reader.ActivationOr("hidden_act", "gelu");
  config->norm_epsilon = static_cast<float>(reader.PositiveOr("layer_norm_eps", 1e-12));
  const int layers = reader.Int("num_hidden_layers", 1, kMaxLayers);
  const int heads = reader.Int("num_attention_heads", 1, kMaxHeads);
  const int ffn = reader.Int("intermediate_size", 1, kMaxFeedForward);
  SetLayers(reader, layers, heads, "num_attention_heads", ffn, "hidden_size", config);

  const std::string positions = reader.StringOr("position_embedding_type", "absolute");
  if (positions != "absolute") {
    reader.Fail(base::Unsupported(reader.json().Where(), ".position_embedding_type: \"", positions,
                                  "\" is not supported; Hone has \"absolute\""));
  }
  if (reader.BoolOr("is_decoder", false)) {
    reader.Fail(
        base::Unsupported(reader.json().Where(), ".is_decoder: a causal decoder is not supported"));
  }
}

base::StatusOr<ModelConfig> ParseConfig(const base::JsonValue& json) {
  HONE_ASSIGN_OR_RETURN(const base::JsonValue type, json.Get("model_type"));
  HONE_ASSIGN_OR_RETURN(const std::string_view name, type.String());
  const Architecture* architecture = FindArchitecture(name);
  if (architecture == nullptr) {
    return base::Unsupported(type.Where(), ": architecture \"", name,
                             "\" is not supported; Hone has ", KnownArchitectures());
  }
  ModelConfig config;
  ConfigReader reader(json);
  architecture->parse(reader, &config);
  HONE_RETURN_IF_ERROR(reader.status());
  config.architecture = std::string(architecture->names[0]);
  HONE_RETURN_IF_ERROR(ApplyPrunedShapes(json, &config));
  return config;
}

}  // namespace hone::model
