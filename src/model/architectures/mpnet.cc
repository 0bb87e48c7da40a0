// MPNet: Song et al. 2020, arXiv:2004.09297. BERT without token types; adds to every layer's scores
// one bias table over T5's relative position buckets (Raffel et al. 2019, arXiv:1910.10683).
#include "model/architecture.h"

namespace hone::model {
namespace {

using kernels::Activation;

constexpr std::string_view kNames[] = {"mpnet"};
// modeling_mpnet.py computes the bucket with this number whatever the table's size.
constexpr int kBuckets = 32;

void Parse(ConfigReader& reader, ModelConfig* config) {
  ParseBertFields(reader, config);
  config->pad_id = reader.IntOr("pad_token_id", 1, 0, kMaxVocabulary);
  config->position_offset = 2;  // modeling_mpnet.py's padding_idx, fixed at 1, plus 1
  config->max_tokens -= config->position_offset;
  if (config->max_tokens < 1) {
    reader.Fail(reader.json().Error("max_position_embeddings must exceed 2"));
  }
  config->relative_buckets = reader.IntOr("relative_attention_num_buckets", kBuckets, 1, 1 << 16);
  config->relative_max_distance = 128;
  if (config->relative_buckets != kBuckets) {
    reader.Fail(base::Unsupported(reader.json().Where(),
                                  ".relative_attention_num_buckets: ", config->relative_buckets,
                                  " is not supported; Hone has ", kBuckets));
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

extern const Architecture kMpnet = {
    .names = kNames,
    .prefix = "mpnet.",
    .tensors = {.word = "embeddings.word_embeddings",
                .position = "embeddings.position_embeddings",
                .embeddings_norm = "embeddings.LayerNorm",
                .relative_bias = "encoder.relative_attention_bias",
                .layers = "encoder.layer.",
                .query = "attention.attn.q",
                .key = "attention.attn.k",
                .value = "attention.attn.v",
                .output = "attention.attn.o",
                .attention_norm = "attention.LayerNorm",
                .up = "intermediate.dense",
                .down = "output.dense",
                .ffn_norm = "output.LayerNorm"},
    .parse = Parse,
    .heads = Heads,
};

}  // namespace hone::model
