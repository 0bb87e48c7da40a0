#include "train/graph.h"

#include <cmath>

#include "base/check.h"
#include "train/ops.h"
#include "train/parameter_set.h"

namespace hone::train {
namespace {

using base::StatusOr;

struct LinearPlace {
  Place weight, bias;
};

struct NormPlace {
  Place gain, bias;
};

struct LayerPlaces {
  LinearPlace query, key, value, output, up, down;
  NormPlace attention_norm, ffn_norm;
};

struct StagePlaces {
  LinearPlace dense;
  kernels::Activation activation = kernels::Activation::kNone;
  NormPlace norm;
};

struct HeadPlaces {
  model::Rows rows = model::Rows::kFirst;
  std::vector<StagePlaces> stages;
};

// Gives each place of dropout in one pass its own stream of the pass's seed.
class DropoutSites {
 public:
  explicit DropoutSites(const ForwardOptions& options)
      : rate_(options.training ? options.dropout : 0), seed_(options.seed) {}

  Dropout Next() { return {rate_, seed_ * 0x9e3779b97f4a7c15 + ++sites_}; }

 private:
  float rate_;
  std::uint64_t seed_;
  std::uint64_t sites_ = 0;
};

class EncoderGraph final : public Graph {
 public:
  EncoderGraph(const model::Model& model, const GraphOptions& options)
      : config_(model.config),
        task_(model.head.task),
        normalize_(model.head.normalize),
        set_(model, options.trainable) {}

  base::Status Bind(const model::Model& model);

  const std::vector<Parameter>& parameters() const override { return set_.parameters(); }
  Outputs Forward(const runtime::Batch& batch, const ForwardOptions& options) override;
  void Export(formats::EditedCheckpoint* checkpoint) const override;

 private:
  base::Status Add(const model::Linear& linear, LinearPlace* place);
  base::Status Add(const model::Norm& norm, NormPlace* place);
  base::Status AddLayer(const model::LayerWeights& layer);
  base::Status AddHead(const model::HeadOutput& output);

  at::Tensor Apply(const LinearPlace& linear, const at::Tensor& x) const;
  at::Tensor Apply(const NormPlace& norm, const at::Tensor& x) const;
  at::Tensor EmbedBatch(const runtime::Batch& batch, DropoutSites& sites) const;
  // The block's output before the residual; undefined where the block is gone.
  at::Tensor AttentionBlock(std::size_t layer, const at::Tensor& x, const runtime::Batch& batch,
                            DropoutSites& sites, Outputs* relations) const;
  at::Tensor FeedForwardBlock(std::size_t layer, const at::Tensor& x) const;
  at::Tensor ApplyHead(const HeadPlaces& head, const at::Tensor& hidden,
                       const runtime::Batch& batch, const ForwardOptions& options,
                       DropoutSites& sites) const;

  model::ModelConfig config_;
  model::Task task_;
  bool normalize_;
  ParameterSet set_;
  Place word_, position_, type_, relative_bias_;
  NormPlace embeddings_norm_, final_norm_;
  LinearPlace embedding_projection_;
  std::vector<LayerPlaces> layers_;
  std::vector<HeadPlaces> heads_;
  bool tied_ = false;  // a head multiplies by the word embedding
};

base::Status EncoderGraph::Add(const model::Linear& linear, LinearPlace* place) {
  HONE_ASSIGN_OR_RETURN(place->weight, set_.Add(linear.weight));
  HONE_ASSIGN_OR_RETURN(place->bias, set_.Add(linear.bias));
  return base::OkStatus();
}

base::Status EncoderGraph::Add(const model::Norm& norm, NormPlace* place) {
  HONE_ASSIGN_OR_RETURN(place->gain, set_.Add(norm.gain));
  HONE_ASSIGN_OR_RETURN(place->bias, set_.Add(norm.bias));
  return base::OkStatus();
}

base::Status EncoderGraph::AddLayer(const model::LayerWeights& layer) {
  LayerPlaces& places = layers_.emplace_back();
  HONE_RETURN_IF_ERROR(Add(layer.query, &places.query));
  HONE_RETURN_IF_ERROR(Add(layer.key, &places.key));
  HONE_RETURN_IF_ERROR(Add(layer.value, &places.value));
  HONE_RETURN_IF_ERROR(Add(layer.output, &places.output));
  HONE_RETURN_IF_ERROR(Add(layer.attention_norm, &places.attention_norm));
  HONE_RETURN_IF_ERROR(Add(layer.up, &places.up));
  HONE_RETURN_IF_ERROR(Add(layer.down, &places.down));
  return Add(layer.ffn_norm, &places.ffn_norm);
}

base::Status EncoderGraph::AddHead(const model::HeadOutput& output) {
  HeadPlaces& head = heads_.emplace_back();
  head.rows = output.rows;
  for (const model::HeadStage& stage : output.stages) {
    StagePlaces& places = head.stages.emplace_back();
    HONE_RETURN_IF_ERROR(Add(stage.dense, &places.dense));
    HONE_RETURN_IF_ERROR(Add(stage.norm, &places.norm));
    places.activation = stage.activation;
    tied_ = tied_ || (!places.dense.weight.empty() && places.dense.weight.tensor == word_.tensor);
  }
  return base::OkStatus();
}

base::Status EncoderGraph::Bind(const model::Model& model) {
  const model::EncoderWeights& weights = model.weights;
  HONE_ASSIGN_OR_RETURN(word_, set_.Add(weights.word.values));
  HONE_ASSIGN_OR_RETURN(position_, set_.Add(weights.position.values));
  HONE_ASSIGN_OR_RETURN(type_, set_.Add(weights.type.values));
  HONE_ASSIGN_OR_RETURN(relative_bias_, set_.Add(weights.relative_bias));
  HONE_RETURN_IF_ERROR(Add(weights.embeddings_norm, &embeddings_norm_));
  HONE_RETURN_IF_ERROR(Add(weights.embedding_projection, &embedding_projection_));
  for (const model::LayerWeights& layer : weights.layers) HONE_RETURN_IF_ERROR(AddLayer(layer));
  HONE_RETURN_IF_ERROR(Add(weights.final_norm, &final_norm_));
  for (const model::HeadOutput& output : model.head.outputs) {
    HONE_RETURN_IF_ERROR(AddHead(output));
  }
  return base::OkStatus();
}

at::Tensor EncoderGraph::Apply(const LinearPlace& linear, const at::Tensor& x) const {
  return Linear(x, set_.Get(linear.weight), set_.Get(linear.bias));
}

at::Tensor EncoderGraph::Apply(const NormPlace& norm, const at::Tensor& x) const {
  return Normalise(x, set_.Get(norm.gain), set_.Get(norm.bias), config_.norm_epsilon);
}

// → [T,D]
at::Tensor EncoderGraph::EmbedBatch(const runtime::Batch& batch, DropoutSites& sites) const {
  at::Tensor x = Embed({.word = set_.Get(word_),
                        .position = set_.Get(position_),
                        .type = set_.Get(type_),
                        .position_offset = config_.position_offset,
                        .sparse = !tied_},
                       batch);
  x = Drop(Apply(embeddings_norm_, x), sites.Next());
  return embedding_projection_.weight.empty() ? x : Apply(embedding_projection_, x);
}

// x [T,D] → [T,D]
at::Tensor EncoderGraph::AttentionBlock(std::size_t layer, const at::Tensor& x,
                                        const runtime::Batch& batch, DropoutSites& sites,
                                        Outputs* relations) const {
  const model::LayerShape& shape = config_.layers[layer];
  if (shape.heads == 0) return {};
  const LayerPlaces& places = layers_[layer];
  at::Tensor q = Apply(places.query, x), k = Apply(places.key, x), v = Apply(places.value, x);
  if (shape.rotary_base > 0) {
    q = Rotate(q, batch, config_.head_size, shape.rotary_base);
    k = Rotate(k, batch, config_.head_size, shape.rotary_base);
  }
  if (relations != nullptr) {
    relations->query = q;
    relations->key = k;
    relations->value = v;
    relations->heads_of_relations = shape.heads;
  }
  const AttentionShape attention{.heads = shape.heads,
                                 .head_size = config_.head_size,
                                 .window = shape.window,
                                 .relative_buckets = config_.relative_buckets,
                                 .relative_max_distance = config_.relative_max_distance};
  return Apply(places.output,
               Attend(q, k, v, set_.Get(relative_bias_), attention, batch, sites.Next()));
}

// x [T,D] → [T,D]
at::Tensor EncoderGraph::FeedForwardBlock(std::size_t layer, const at::Tensor& x) const {
  if (config_.layers[layer].ffn == 0) return {};
  const at::Tensor up = Apply(layers_[layer].up, x);  // [T,F], or [T,2F] where gated
  return Apply(layers_[layer].down, config_.gated_ffn ? ActivateGate(config_.activation, up)
                                                      : Activate(config_.activation, up));
}

// hidden [T,D] → [rows, width]
at::Tensor EncoderGraph::ApplyHead(const HeadPlaces& head, const at::Tensor& hidden,
                                   const runtime::Batch& batch, const ForwardOptions& options,
                                   DropoutSites& sites) const {
  std::vector<std::int64_t> masked;
  if (head.rows == model::Rows::kMasked) {
    masked.assign(options.masked.begin(), options.masked.end());
    for (int t = 0; options.masked.empty() && t < batch.tokens(); ++t) {
      if (batch.ids[static_cast<std::size_t>(t)] == options.mask_id) masked.push_back(t);
    }
  }
  at::Tensor x = PickRows(head.rows, hidden, batch, masked);
  const bool classifies = task_ != model::Task::kEmbedding && task_ != model::Task::kFillMask &&
                          task_ != model::Task::kQuestionAnswering;
  for (const StagePlaces& stage : head.stages) {
    if (classifies && &stage == &head.stages.back()) x = Drop(x, sites.Next());
    if (!stage.dense.weight.empty()) x = Apply(stage.dense, x);
    x = Apply(stage.norm, Activate(stage.activation, x));
  }
  return normalize_ ? ToUnitLength(x) : x;
}

Outputs EncoderGraph::Forward(const runtime::Batch& batch, const ForwardOptions& options) {
  HONE_CHECK(batch.texts() > 0 && batch.begins.front() == 0 &&
             batch.begins.back() == batch.tokens());
  DropoutSites sites(options);
  Outputs out;
  const bool pre = config_.norm == model::NormPlacement::kPre;
  at::Tensor x = EmbedBatch(batch, sites);  // [T,D]
  if (options.hidden_states) out.hidden_states.push_back(x);
  std::size_t last_attention = 0;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    if (config_.layers[l].heads > 0) last_attention = l;
  }
  // y may be undefined: the block is gone, and only the residual and the norm stay.
  const auto join = [&](const at::Tensor& y, const NormPlace& norm) {
    const Dropout dropout = sites.Next();
    if (!pre) {
      x = AddNormalise(x, y, dropout, set_.Get(norm.gain), set_.Get(norm.bias),
                       config_.norm_epsilon);
    } else if (y.defined()) {
      x = AddDropped(x, y, dropout);
    }
  };
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const LayerPlaces& layer = layers_[l];
    Outputs* relations = options.relations && l == last_attention ? &out : nullptr;
    join(AttentionBlock(l, pre ? Apply(layer.attention_norm, x) : x, batch, sites, relations),
         layer.attention_norm);
    join(FeedForwardBlock(l, pre ? Apply(layer.ffn_norm, x) : x), layer.ffn_norm);
    if (options.hidden_states) out.hidden_states.push_back(x);
  }
  out.hidden = pre ? Apply(final_norm_, x) : x;
  for (const HeadPlaces& head : heads_) {
    out.heads.push_back(ApplyHead(head, out.hidden, batch, options, sites));
  }
  return out;
}

void EncoderGraph::Export(formats::EditedCheckpoint* checkpoint) const {
  for (const Parameter& parameter : set_.parameters()) {
    const at::Tensor& value = parameter.value;
    const float* values = value.data_ptr<float>();
    checkpoint->SetF32(parameter.name,
                       tensor::Shape(std::span<const std::int64_t>(
                           value.sizes().data(), static_cast<std::size_t>(value.dim()))),
                       std::vector<float>(values, values + value.numel()));
  }
}

}  // namespace

StatusOr<std::unique_ptr<Graph>> Graph::Create(const model::Model& model,
                                               const GraphOptions& options) {
  auto graph = std::make_unique<EncoderGraph>(model, options);
  HONE_RETURN_IF_ERROR(graph->Bind(model));
  return graph;
}

}  // namespace hone::train
