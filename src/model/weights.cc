#include "model/weights.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/check.h"
#include "model/architecture.h"
#include "model/binder.h"

namespace hone::model {
namespace {

base::Status BindEmbeddings(const ModelConfig& config, const TensorNames& names,
                            const Binder& binder, EncoderWeights* weights) {
  const int width = config.embedding_width;
  HONE_ASSIGN_OR_RETURN(weights->word, binder.ReadEmbedding(names.word, config.vocabulary, width));
  if (config.learned_positions) {
    HONE_ASSIGN_OR_RETURN(
        weights->position,
        binder.ReadEmbedding(names.position, config.max_tokens + config.position_offset, width));
  }
  if (config.token_types > 0) {
    HONE_ASSIGN_OR_RETURN(weights->type,
                          binder.ReadEmbedding(names.type, config.token_types, width));
  }
  HONE_ASSIGN_OR_RETURN(weights->embeddings_norm,
                        binder.ReadNorm(names.embeddings_norm, width, config.norm_bias));
  if (width != config.width) {
    HONE_ASSIGN_OR_RETURN(weights->embedding_projection,
                          binder.ReadLinear(names.embedding_projection, config.width, width, true));
  }
  if (config.relative_buckets > 0) {
    HONE_ASSIGN_OR_RETURN(weights->relative_bias,
                          binder.ReadTable(names.relative_bias, config.relative_buckets,
                                           config.width / config.head_size));
  }
  return base::OkStatus();
}

// Q, K and V as three matrices, out of one where the file has them as one (rows in that order).
base::Status BindQueryKeyValue(const ModelConfig& config, const TensorNames& names,
                               const std::string& layer, int rows, const Binder& binder,
                               LayerWeights* weights) {
  Linear* const parts[] = {&weights->query, &weights->key, &weights->value};
  if (names.query_key_value.empty()) {
    const std::string_view modules[] = {names.query, names.key, names.value};
    for (int i = 0; i < 3; ++i) {
      HONE_ASSIGN_OR_RETURN(*parts[i], binder.ReadLinear(layer + std::string(modules[i]), rows,
                                                         config.width, config.attention_bias));
    }
    return base::OkStatus();
  }
  HONE_ASSIGN_OR_RETURN(const Linear all,
                        binder.ReadLinear(layer + std::string(names.query_key_value), 3 * rows,
                                          config.width, config.attention_bias));
  for (int i = 0; i < 3; ++i) {
    parts[i]->weight = all.weight.Rows(i * rows, (i + 1) * rows);
    if (all.bias.empty()) continue;
    const std::size_t bytes = all.bias.bytes() / 3;
    parts[i]->bias = {all.bias.data + static_cast<std::size_t>(i) * bytes, all.bias.dtype, {rows}};
  }
  return base::OkStatus();
}

base::StatusOr<LayerWeights> BindLayer(const ModelConfig& config, const TensorNames& names,
                                       int index, const Binder& binder) {
  const LayerShape& shape = config.layers[static_cast<std::size_t>(index)];
  const std::string layer = base::StrCat(names.layers, index, ".");
  const auto name = [&](std::string_view module) { return base::StrCat(layer, module); };
  const bool norm_always = config.norm == NormPlacement::kPost;
  const int width = config.width;
  LayerWeights weights;
  if (shape.heads > 0) {
    const int inner = shape.heads * config.head_size;
    HONE_RETURN_IF_ERROR(BindQueryKeyValue(config, names, layer, inner, binder, &weights));
    HONE_ASSIGN_OR_RETURN(
        weights.output, binder.ReadLinear(name(names.output), width, inner, config.attention_bias));
  }
  if (shape.attention_norm && (shape.heads > 0 || norm_always)) {
    HONE_ASSIGN_OR_RETURN(weights.attention_norm,
                          binder.ReadNorm(name(names.attention_norm), width, config.norm_bias));
  }
  if (shape.ffn > 0) {
    HONE_ASSIGN_OR_RETURN(
        weights.up, binder.ReadLinear(name(names.up), shape.ffn * (config.gated_ffn ? 2 : 1), width,
                                      config.ffn_bias));
    HONE_ASSIGN_OR_RETURN(weights.down,
                          binder.ReadLinear(name(names.down), width, shape.ffn, config.ffn_bias));
  }
  if (shape.ffn > 0 || norm_always) {
    HONE_ASSIGN_OR_RETURN(weights.ffn_norm,
                          binder.ReadNorm(name(names.ffn_norm), width, config.norm_bias));
  }
  return weights;
}

}  // namespace

base::StatusOr<EncoderWeights> BindEncoder(const ModelConfig& config,
                                           const formats::Checkpoint& checkpoint) {
  const Architecture* architecture = FindArchitecture(config.architecture);
  HONE_CHECK(architecture != nullptr);
  const TensorNames& names = architecture->tensors;
  const Binder binder(checkpoint, FindPrefix(*architecture, checkpoint));
  EncoderWeights weights;
  HONE_RETURN_IF_ERROR(BindEmbeddings(config, names, binder, &weights));
  weights.layers.reserve(config.layers.size());
  for (int i = 0; i < config.layer_count(); ++i) {
    HONE_ASSIGN_OR_RETURN(LayerWeights layer, BindLayer(config, names, i, binder));
    weights.layers.push_back(std::move(layer));
  }
  if (config.norm == NormPlacement::kPre) {
    HONE_ASSIGN_OR_RETURN(weights.final_norm,
                          binder.ReadNorm(names.final_norm, config.width, config.norm_bias));
  }
  return weights;
}

int RelativeBucket(int delta, int buckets, int max_distance) {
  const int half = buckets / 2;  // one half for each direction
  const int side = delta > 0 ? half : 0;
  const int distance = std::abs(delta);
  const int exact = half / 2;
  if (distance < exact) return side + distance;
  // In f32 and in this order, as the original computes it: the bucket's edge hangs on the rounding.
  const float far = std::log(static_cast<float>(distance) / static_cast<float>(exact)) /
                    std::log(static_cast<float>(max_distance) / static_cast<float>(exact)) *
                    static_cast<float>(half - exact);
  return side + std::min(half - 1, exact + static_cast<int>(far));
}

}  // namespace hone::model
