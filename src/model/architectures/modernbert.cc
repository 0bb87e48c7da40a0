// ModernBERT: Warner et al. 2024, arXiv:2412.13663. Norms before the blocks, rotary positions,
// every few layers full attention and local attention in between, a gated feed-forward, hardly any
// biases.
#include <algorithm>

#include "model/architecture.h"

namespace hone::model {
namespace {

constexpr std::string_view kNames[] = {"modernbert"};

// θ of one kind of layer. Newer configs nest it: rope_parameters: {"full_attention": {"rope_theta":
// …}}.
float RotaryBase(ConfigReader& reader, std::string_view kind, std::string_view flat_name,
                 double fallback) {
  double base = reader.PositiveOr(flat_name, fallback);
  if (const auto nested = reader.json().Find("rope_parameters")) {
    if (const auto parameters = nested->Find(kind)) {
      ConfigReader inner(*parameters);
      base = inner.PositiveOr("rope_theta", base);
      const std::string type = inner.StringOr("rope_type", "default");
      if (type != "default") {
        inner.Fail(base::Unsupported(parameters->Where(), ".rope_type: \"", type,
                                     "\" is not supported; Hone has \"default\""));
      }
      reader.Fail(inner.status());
    }
  }
  return static_cast<float>(base);
}

// Which layers attend locally: layer_types names each, or every n-th is full.
std::vector<bool> LocalLayers(ConfigReader& reader, int count) {
  std::vector<bool> local(static_cast<std::size_t>(count));
  const int full_every = reader.IntOr("global_attn_every_n_layers", 3, 1, kMaxLayers);
  for (std::size_t i = 0; i < local.size(); ++i) {
    local[i] = i % static_cast<std::size_t>(full_every) != 0;
  }
  const auto types = reader.json().Find("layer_types");
  if (!types) return local;
  if (!types->IsArray() || types->size() != count) {
    reader.Fail(types->Error(base::StrCat("expected an array of ", count, " names")));
    return local;
  }
  std::size_t i = 0;
  for (const base::JsonValue type : *types) {
    const base::StatusOr<std::string_view> name = type.String();
    if (!name.ok()) {
      reader.Fail(name.status());
    } else if (*name != "full_attention" && *name != "sliding_attention") {
      reader.Fail(base::Unsupported(type.Where(), ": \"", *name,
                                    "\" is not supported; Hone has \"full_attention\" and "
                                    "\"sliding_attention\""));
    } else {
      local[i] = *name == "sliding_attention";
    }
    ++i;
  }
  return local;
}

// The engine keeps the angles of every position, 16 MiB for each of the two bases with heads of 64.
// A model that states more than this cuts texts here.
constexpr int kMaxRotaryTokens = 1 << 16;

void Parse(ConfigReader& reader, ModelConfig* config) {
  config->width = reader.Int("hidden_size", 1, kMaxWidth);
  config->embedding_width = config->width;
  config->vocabulary = reader.Int("vocab_size", 1, kMaxVocabulary);
  config->max_tokens =
      std::min(reader.Int("max_position_embeddings", 1, kMaxPositions), kMaxRotaryTokens);
  config->learned_positions = false;
  config->pad_id = reader.IntOr("pad_token_id", 0, 0, kMaxVocabulary);
  config->norm = NormPlacement::kPre;
  config->norm_epsilon = static_cast<float>(reader.PositiveOr("norm_eps", 1e-5));
  config->activation = reader.ActivationOr("hidden_activation", "gelu");
  config->gated_ffn = true;
  config->attention_bias = reader.BoolOr("attention_bias", false);
  config->ffn_bias = reader.BoolOr("mlp_bias", false);
  config->norm_bias = reader.BoolOr("norm_bias", false);

  const int layers = reader.Int("num_hidden_layers", 1, kMaxLayers);
  const int heads = reader.Int("num_attention_heads", 1, kMaxHeads);
  const int ffn = reader.Int("intermediate_size", 1, kMaxFeedForward);
  SetLayers(reader, layers, heads, "num_attention_heads", ffn, "hidden_size", config);
  if (config->head_size % 2 != 0) {
    reader.Fail(
        reader.json().Error(base::StrCat("hidden_size / num_attention_heads is ", config->head_size,
                                         "; rotary positions need it even")));
  }
  if (reader.json().Find("rope_scaling")) {
    reader.Fail(base::Unsupported(reader.json().Where(), ".rope_scaling: not supported"));
  }

  // local_attention is the whole window; half of it lies on each side, ends included.
  const int window = reader.IntOr("local_attention", 128, 0, 2 * kMaxPositions) / 2;
  const float full_base = RotaryBase(reader, "full_attention", "global_rope_theta", 160000);
  const float local_base = RotaryBase(reader, "sliding_attention", "local_rope_theta", 10000);
  const std::vector<bool> local = LocalLayers(reader, layers);
  for (std::size_t i = 0; i < local.size(); ++i) {
    config->layers[i].window = local[i] ? window : -1;
    config->layers[i].rotary_base = local[i] ? local_base : full_base;
  }
  config->layers[0].attention_norm = false;  // the embeddings are normalised already
}

HeadPlans Heads(ConfigReader& reader, const ModelConfig&) {
  const StagePlan dense{.dense = "head.dense",
                        .activation = reader.ActivationOr("classifier_activation", "gelu"),
                        .norm = "head.norm",
                        .bias = reader.BoolOr("classifier_bias", false)};
  const std::string pooling = reader.StringOr("classifier_pooling", "cls");
  if (pooling != "cls" && pooling != "mean") {
    reader.Fail(base::Unsupported(reader.json().Where(), ".classifier_pooling: \"", pooling,
                                  "\" is not supported; Hone has \"cls\" and \"mean\""));
  }
  HeadPlans plans;
  plans.pooled_rows = pooling == "mean" ? Rows::kMean : Rows::kFirst;
  plans.sequence = {dense, {.dense = "classifier", .width = StagePlan::kLabels}};
  plans.tokens = plans.sequence;
  plans.question = {dense, {.dense = "classifier", .width = 2}};
  plans.mask = {dense};
  plans.decoder = "decoder";
  plans.decoder_bias = "decoder.bias";
  plans.has_decoder_bias = reader.BoolOr("decoder_bias", true);
  return plans;
}

}  // namespace

extern const Architecture kModernBert = {
    .names = kNames,
    .prefix = "model.",
    .tensors = {.word = "embeddings.tok_embeddings",
                .embeddings_norm = "embeddings.norm",
                .layers = "layers.",
                .query_key_value = "attn.Wqkv",
                .output = "attn.Wo",
                .attention_norm = "attn_norm",
                .up = "mlp.Wi",
                .down = "mlp.Wo",
                .ffn_norm = "mlp_norm",
                .final_norm = "final_norm"},
    .parse = Parse,
    .heads = Heads,
};

}  // namespace hone::model
