// RoBERTa: Liu et al. 2019, arXiv:1907.11692; XLM-RoBERTa and CamemBERT are the same network with
// other vocabularies. Differs from BERT in that positions start at pad id + 1, and in its heads.
#include "model/architecture.h"

namespace hone::model {
namespace {

using kernels::Activation;

constexpr std::string_view kNames[] = {"roberta", "xlm-roberta", "camembert"};

void Parse(ConfigReader& reader, ModelConfig* config) {
  ParseBertFields(reader, config);
  config->token_types = reader.IntOr("type_vocab_size", 2, 1, kMaxVocabulary);
  config->pad_id = reader.IntOr("pad_token_id", 1, 0, kMaxPositions);
  config->position_offset = config->pad_id + 1;
  config->max_tokens -= config->position_offset;
  if (config->max_tokens < 1) {
    reader.Fail(reader.json().Error(
        base::StrCat("max_position_embeddings must exceed pad_token_id + 1, which is ",
                     config->position_offset)));
  }
}

HeadPlans Heads(ConfigReader&, const ModelConfig&) {
  HeadPlans plans;
  plans.pooler = {{.dense = "pooler.dense", .activation = Activation::kTanh, .in_encoder = true}};
  plans.sequence = {{.dense = "classifier.dense", .activation = Activation::kTanh},
                    {.dense = "classifier.out_proj", .width = StagePlan::kLabels}};
  plans.tokens = {{.dense = "classifier", .width = StagePlan::kLabels}};
  plans.question = {{.dense = "qa_outputs", .width = 2}};
  plans.mask = {
      {.dense = "lm_head.dense", .activation = Activation::kGelu, .norm = "lm_head.layer_norm"}};
  plans.decoder = "lm_head.decoder";
  plans.decoder_bias = "lm_head.bias";
  return plans;
}

}  // namespace

extern const Architecture kRoberta = {
    .names = kNames,
    .prefix = "roberta.",
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
