// ELECTRA: Clark et al. 2020, arXiv:2003.10555. BERT's network with embeddings that may be narrower
// than the layers (E < D) and are then projected.
#include "model/architecture.h"

namespace hone::model {
namespace {

using kernels::Activation;

constexpr std::string_view kNames[] = {"electra"};

void Parse(ConfigReader& reader, ModelConfig* config) {
  ParseBertFields(reader, config);
  config->embedding_width = reader.IntOr("embedding_size", 128, 1, kMaxWidth);
  config->token_types = reader.IntOr("type_vocab_size", 2, 1, kMaxVocabulary);
  config->pad_id = reader.IntOr("pad_token_id", 0, 0, kMaxVocabulary);
}

HeadPlans Heads(ConfigReader&, const ModelConfig&) {
  HeadPlans plans;
  // Whatever hidden_act says, these two are the exact GELU (modeling_electra.py).
  plans.sequence = {{.dense = "classifier.dense", .activation = Activation::kGelu},
                    {.dense = "classifier.out_proj", .width = StagePlan::kLabels}};
  plans.mask = {{.dense = "generator_predictions.dense",
                 .width = StagePlan::kEmbedding,
                 .activation = Activation::kGelu,
                 .norm = "generator_predictions.LayerNorm"}};
  plans.tokens = {{.dense = "classifier", .width = StagePlan::kLabels}};
  plans.question = {{.dense = "qa_outputs", .width = 2}};
  plans.decoder = "generator_lm_head";
  plans.decoder_bias = "generator_lm_head.bias";
  return plans;
}

}  // namespace

extern const Architecture kElectra = {
    .names = kNames,
    .prefix = "electra.",
    .tensors = {.word = "embeddings.word_embeddings",
                .position = "embeddings.position_embeddings",
                .type = "embeddings.token_type_embeddings",
                .embeddings_norm = "embeddings.LayerNorm",
                .embedding_projection = "embeddings_project",
                .layers = "encoder.layer.",
                .query = "attention.self.query",
                .key = "attention.self.key",
                .value = "attention.self.value",
                .output = "attention.output.dense",
                .attention_norm = "attention.output.LayerNorm",
                .up = "intermediate.dense",
                .down = "output.dense",
                .ffn_norm = "output.LayerNorm"},
    .parse = Parse,
    .heads = Heads,
};

}  // namespace hone::model
