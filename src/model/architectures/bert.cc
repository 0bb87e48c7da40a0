// BERT: Devlin et al. 2018, arXiv:1810.04805; names as in transformers' modeling_bert.py.
#include "model/architecture.h"

namespace hone::model {
namespace {

using kernels::Activation;

constexpr std::string_view kNames[] = {"bert"};

void Parse(ConfigReader& reader, ModelConfig* config) {
  ParseBertFields(reader, config);
  config->token_types = reader.IntOr("type_vocab_size", 2, 1, kMaxVocabulary);
  config->pad_id = reader.IntOr("pad_token_id", 0, 0, kMaxVocabulary);
}

HeadPlans Heads(ConfigReader&, const ModelConfig& config) {
  const StagePlan pooler{
      .dense = "pooler.dense", .activation = Activation::kTanh, .in_encoder = true};
  HeadPlans plans;
  plans.pooler = {pooler};
  plans.sequence = {pooler, {.dense = "classifier", .width = StagePlan::kLabels}};
  plans.tokens = {{.dense = "classifier", .width = StagePlan::kLabels}};
  plans.question = {{.dense = "qa_outputs", .width = 2}};
  plans.mask = {{.dense = "cls.predictions.transform.dense",
                 .activation = config.activation,
                 .norm = "cls.predictions.transform.LayerNorm"}};
  plans.decoder = "cls.predictions.decoder";
  plans.decoder_bias = "cls.predictions.bias";
  return plans;
}

}  // namespace

extern const Architecture kBert = {
    .names = kNames,
    .prefix = "bert.",
    .tensors = {.word = "embeddings.word_embeddings",
                .position = "embeddings.position_embeddings",
                .type = "embeddings.token_type_embeddings",
                .embeddings_norm = "embeddings.LayerNorm",
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
