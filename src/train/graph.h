// The training graph: the engine's model (runtime/encoder_forward, model/reference.h) computed by
// libtorch, so that it has gradients. One forward serves every architecture and head: it is driven
// by model::ModelConfig and model::Head, as the engine's is.
//
// Usage
//   train::UseThreads(2);
//   HONE_ASSIGN_OR_RETURN(auto graph, train::Graph::Create(model));
//   train::AdamW adam(graph->parameters(), {});
//   for (…) {
//     train::Outputs out = graph->Forward(batch, {.training = true, .dropout = 0.1f, .seed = step});
//     Loss(out.heads[0], …).backward();
//     adam.Step(learning_rate, /*clip=*/1.0);
//   }
//   graph->Export(&draft.weights());  // then draft.Bind(), the engine, draft.Write(…)
//
// Batches        ragged, as the engine takes them: no padding is computed.
// Numerics       f32. Outputs equal the f32 engine's within 1e-4 of the largest. The same weights,
//                batch, options and thread count give the same bits, gradients included.
// Thread-safety  one caller at a time; it uses the threads of UseThreads inside.
// Errors         Create: a weight that is not finite. Forward CHECKs what Engine::Check promises.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "formats/edited_checkpoint.h"
#include "model/model.h"
#include "runtime/batch.h"

namespace hone::train {

// Computes with so many threads from now on, in libtorch, OpenBLAS and our own kernels; keeps freed
// memory for the next step, whose tensors have the same sizes. For the whole process, once.
void UseThreads(int threads);

// A trained tensor. Values are changed in place, under at::NoGradGuard.
struct Parameter {
  std::string name;   // of the checkpoint's tensor: "bert.encoder.layer.0.output.dense.weight"
  at::Tensor value;   // f32, contiguous, a leaf with gradients on
  bool decay = true;  // weight decay applies: false for biases and norms
};

struct GraphOptions {
  bool trainable = true;  // false: a teacher; no gradients, call Forward under at::NoGradGuard
};

struct ForwardOptions {
  bool training = false;   // dropout happens
  float dropout = 0;       // of hidden values, attention probabilities and before the classifier
  std::uint64_t seed = 0;  // of this pass's dropout: the same seed drops the same values
  bool hidden_states = false;
  bool relations = false;
  std::int32_t mask_id = -1;  // Rows::kMasked: tokens with this id
  // Rows::kMasked where not empty: these tokens (ascending) in place of those with mask_id.
  std::span<const std::int32_t> masked = {};
};

// Every tensor has gradients where the graph is trainable.
struct Outputs {
  std::vector<at::Tensor> heads;          // per HeadOutput: [rows, width], rows in text order
  at::Tensor hidden;                      // [T,D]: the encoder's output
  std::vector<at::Tensor> hidden_states;  // on request: input embeddings, then each layer's [T,D]
  // On request, of the last layer that has heads: [T, H·K] (rotary positions applied).
  at::Tensor query, key, value;
  int heads_of_relations = 0;  // H of that layer
};

class Graph {
 public:
  virtual ~Graph() = default;

  // Copies the weights (dequantised where they are stored quantised). What the graph needs of
  // `model` is kept. Weights that lie in folders of their own (sentence-transformers' Dense) take
  // part in the forward pass but stay as they are.
  static base::StatusOr<std::unique_ptr<Graph>> Create(const model::Model& model,
                                                       const GraphOptions& options = {});

  // Each tensor once, also where two places share it (a decoder tied to the word embedding, fused
  // QKV). The word embedding's gradient may be sparse: Parameter::value.grad().is_sparse().
  virtual const std::vector<Parameter>& parameters() const = 0;

  virtual Outputs Forward(const runtime::Batch& batch, const ForwardOptions& options) = 0;

  // Writes every parameter's values as F32 under its name; one that was quantised loses its
  // quantised parts. draft.weights() is what it is made for.
  virtual void Export(formats::EditedCheckpoint* checkpoint) const = 0;
};

}  // namespace hone::train
