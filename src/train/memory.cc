#include "train/memory.h"

#include <span>

namespace hone::train {
namespace {

using std::uint64_t;

// Resident once libtorch 1.13 and its libraries are loaded and have computed something.
constexpr uint64_t kLibraries = 180 << 20;
// Share of a text's tokens whose vocabulary logits a fill-mask head gives: BERT hides 15 %.
constexpr double kMaskedShare = 0.16;

uint64_t Elements(const tensor::TensorView& view) {
  return view.empty() ? 0 : static_cast<uint64_t>(view.shape.elements());
}

uint64_t Elements(const formats::StoredMatrix& matrix) {
  return static_cast<uint64_t>(matrix.n) * static_cast<uint64_t>(matrix.k);
}

uint64_t Elements(const model::Linear& linear) {
  return Elements(linear.weight) + Elements(linear.bias);
}

uint64_t Elements(const model::Norm& norm) {
  return Elements(norm.gain) + Elements(norm.bias);
}

struct Counts {
  uint64_t tables = 0;  // embeddings: never packed
  uint64_t others = 0;
  bool tied = false;  // a head multiplies by the word embedding, whose gradient is dense then
  uint64_t all() const { return tables + others; }
};

Counts Count(const model::Model& model) {
  const model::EncoderWeights& weights = model.weights;
  Counts counts;
  counts.tables = Elements(weights.word) + Elements(weights.position) + Elements(weights.type);
  counts.others = Elements(weights.relative_bias) + Elements(weights.embeddings_norm) +
                  Elements(weights.embedding_projection) + Elements(weights.final_norm);
  for (const model::LayerWeights& layer : weights.layers) {
    counts.others += Elements(layer.query) + Elements(layer.key) + Elements(layer.value) +
                     Elements(layer.output) + Elements(layer.attention_norm) + Elements(layer.up) +
                     Elements(layer.down) + Elements(layer.ffn_norm);
  }
  for (const model::HeadOutput& output : model.head.outputs) {
    for (const model::HeadStage& stage : output.stages) {
      const bool tied =
          !stage.dense.weight.empty() && stage.dense.weight.values.data == weights.word.values.data;
      counts.tied = counts.tied || tied;
      counts.others +=
          Elements(stage.norm) + (tied ? Elements(stage.dense.bias) : Elements(stage.dense));
    }
  }
  return counts;
}

// Floats that a layer keeps for its backward pass, of all tokens.
uint64_t LayerFloats(const model::ModelConfig& config, const model::LayerShape& layer,
                     const TrainingShape& shape) {
  const auto tokens = static_cast<uint64_t>(shape.tokens);
  const auto width = static_cast<uint64_t>(config.width);
  const auto inner = static_cast<uint64_t>(layer.heads) * static_cast<uint64_t>(config.head_size);
  const auto ffn = static_cast<uint64_t>(layer.ffn);
  // q, k, v, the same by texts of one length, and what attention gives.
  uint64_t floats = 8 * inner * tokens;
  // Probabilities, which were dropped, and what is left.
  floats +=
      3 * static_cast<uint64_t>(layer.heads) * static_cast<uint64_t>(shape.longest_text) * tokens;
  // Before and after the activation; where gated, both halves, the gate and the product.
  floats += (config.gated_ffn ? 4 : 2) * ffn * tokens;
  // Around each block: its output, which were dropped, the sum and the norm's output.
  return floats + 2 * 4 * width * tokens;
}

uint64_t HeadFloats(const model::Model& model, const TrainingShape& shape) {
  uint64_t floats = 0;
  for (const model::HeadOutput& output : model.head.outputs) {
    auto rows = static_cast<uint64_t>(shape.texts);
    if (output.rows == model::Rows::kAll) rows = static_cast<uint64_t>(shape.tokens);
    if (output.rows == model::Rows::kMasked) {
      rows = static_cast<uint64_t>(kMaskedShare * shape.tokens) + 1;
    }
    // Each stage's product and activation; the last one's logits, log-probabilities and gradients.
    for (const model::HeadStage& stage : output.stages) {
      const auto width = static_cast<uint64_t>(std::max(stage.dense.weight.n, model.config.width));
      floats += (&stage == &output.stages.back() ? 4 : 2) * rows * width;
    }
  }
  return floats;
}

uint64_t ActivationFloats(const model::Model& model, const TrainingShape& shape) {
  const model::ModelConfig& config = model.config;
  const auto tokens = static_cast<uint64_t>(shape.tokens);
  uint64_t floats = 0, largest = 0;
  for (const model::LayerShape& layer : config.layers) {
    const uint64_t mine = LayerFloats(config, layer, shape);
    floats += mine;
    largest = std::max(largest, mine);
  }
  floats += 6 * tokens * static_cast<uint64_t>(config.embedding_width);
  if (shape.hidden_states) {  // the loss's own tensors, per layer
    floats += 2 * tokens * static_cast<uint64_t>(config.width) * config.layers.size();
  }
  floats += HeadFloats(model, shape);
  // While a layer is gone through backwards, gradients of what it keeps stand beside it.
  return floats * static_cast<uint64_t>(shape.passes) + largest;
}

}  // namespace

TrainingMemory ForeseeMemory(const model::Model& model, const TrainingShape& shape) {
  const Counts counts = Count(model);
  TrainingMemory memory;
  memory.parameters = 4 * counts.all();
  memory.moments = 8 * counts.all();
  memory.exported = memory.parameters;
  memory.engine = 4 * counts.others;
  const uint64_t word = Elements(model.weights.word);
  const uint64_t touched = static_cast<uint64_t>(shape.passes) *
                           static_cast<uint64_t>(shape.tokens) *
                           static_cast<uint64_t>(model.config.embedding_width);
  // A sparse gradient is there twice while its rows are sorted.
  const uint64_t dense = counts.all() - (counts.tied ? 0 : word);
  memory.gradients = 4 * (dense * static_cast<uint64_t>(std::max(shape.parts, 1)) + 2 * touched);
  memory.activations = 4 * ActivationFloats(model, shape);
  if (shape.teacher != nullptr) {
    memory.teacher = 4 * Count(*shape.teacher).all();
    TrainingShape alone = shape;
    alone.hidden_states = false;
    // It keeps nothing, but its widest layer and, where asked for, every layer's output are there.
    for (const model::LayerShape& layer : shape.teacher->config.layers) {
      memory.teacher =
          std::max(memory.teacher, 4 * Count(*shape.teacher).all() +
                                       4 * LayerFloats(shape.teacher->config, layer, alone));
    }
    if (shape.hidden_states) {
      memory.teacher += 4 * static_cast<uint64_t>(shape.tokens) *
                        static_cast<uint64_t>(shape.teacher->config.width) *
                        (shape.teacher->config.layers.size() + 1);
    }
  }
  memory.fixed = kLibraries;
  return memory;
}

}  // namespace hone::train
