// DistilBERT: Sanh et al. 2019, arXiv:1910.01108. BERT without token types and pooler, and with
// field and tensor names of its own.
#include "model/architecture.h"

namespace hone::model {
namespace {

using kernels::Activation;

constexpr std::string_view kNames[] = {"distilbert"};

void Parse(ConfigReader& reader, ModelConfig* config) {
  config->width = reader.Int("dim", 1, kMaxWidth);
  config->embedding_width = config->width;
  config->vocabulary = reader.Int("vocab_size", 1, kMaxVocabulary);
  config->max_tokens = reader.Int("max_position_embeddings", 1, kMaxPositions);
  config->activation = reader.ActivationOr("activation", "gelu");
  config->norm_epsilon = 1e-12f;  // fixed in modeling_distilbert.py
  config->pad_id = reader.IntOr("pad_token_id", 0, 0, kMaxVocabulary);
  const int layers = reader.Int("n_layers", 1, kMaxLayers);
  const int heads = reader.Int("n_heads", 1, kMaxHeads);
  const int ffn = reader.Int("hidden_dim", 1, kMaxFeedForward);
  SetLayers(reader, layers, heads, "n_heads", ffn, "dim", config);
}

HeadPlans Heads(ConfigReader&, const ModelConfig& config) {
  HeadPlans plans;
  plans.sequence = {{.dense = "pre_classifier", .activation = Activation::kRelu},
                    {.dense = "classifier", .width = StagePlan::kLabels}};
  plans.tokens = {{.dense = "classifier", .width = StagePlan::kLabels}};
  plans.question = {{.dense = "qa_outputs", .width = 2}};
  plans.mask = {
      {.dense = "vocab_transform", .activation = config.activation, .norm = "vocab_layer_norm"}};
  plans.decoder = "vocab_projector";
  plans.decoder_bias = "vocab_projector.bias";
  return plans;
}

}  // namespace

extern const Architecture kDistilBert = {
    .names = kNames,
    .prefix = "distilbert.",
    .tensors = {.word = "embeddings.word_embeddings",
                .position = "embeddings.position_embeddings",
                .embeddings_norm = "embeddings.LayerNorm",
                .layers = "transformer.layer.",
                .query = "attention.q_lin",
                .key = "attention.k_lin",
                .value = "attention.v_lin",
                .output = "attention.out_lin",
                .attention_norm = "sa_layer_norm",
                .up = "ffn.lin1",
                .down = "ffn.lin2",
                .ffn_norm = "output_layer_norm"},
    .parse = Parse,
    .heads = Heads,
};

}  // namespace hone::model
