// An encoder and its head bound to kernels: everything Forward needs, decided when a model is
// loaded.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/isa.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "kernels/attention/attention.h"
#include "kernels/embedding/embedding.h"
#include "kernels/matmul/matmul.h"
#include "kernels/rotary/rotary.h"
#include "model/model.h"
#include "quant/format.h"
#include "runtime/packed_linear.h"

namespace hone::runtime {

// Gain and bias in f32; an empty gain: the identity. An empty bias: zeros.
struct NormPlan {
  std::vector<float> gain, bias;
  bool empty() const { return gain.empty(); }
};

struct LayerPlan {
  model::LayerShape shape;
  PackedLinear qkv;     // [3·H·K, D]
  PackedLinear output;  // [D, H·K]
  PackedLinear up;      // [F, D], or [2F, D] where gated
  PackedLinear down;    // [D, F]
  NormPlan attention_norm, ffn_norm;
  const kernels::RotaryTable* rotary_table = nullptr;   // for this layer's base; or null
  const kernels::AttentionKernel* attention = nullptr;  // null where there are no heads
};

struct HeadStagePlan {
  PackedLinear dense;  // or empty
  kernels::Activation activation = kernels::Activation::kNone;
  NormPlan norm;
};

struct HeadOutputPlan {
  model::Rows rows = model::Rows::kFirst;
  int width = 0;
  std::vector<HeadStagePlan> stages;
};

struct EncoderPlan {
  model::ModelConfig config;
  quant::Format format = quant::Format::kF32;  // of most weights of the layers
  bool mixed = false;                          // some matrix of a layer has another
  kernels::EmbeddingTable word, position, type;
  NormPlan embeddings_norm;
  PackedLinear embedding_projection;  // [D,E]; or empty
  std::vector<LayerPlan> layers;
  NormPlan final_norm;
  std::vector<HeadOutputPlan> head;
  bool normalize = false;                                  // the head's output to unit length
  std::vector<const kernels::AttentionKernel*> attention;  // those that layers use, once each
  std::vector<float> relative_bias;  // [H, 2·max_tokens-1], centre at max_tokens-1; or empty
  // By base; a list, since layers point to them.
  std::list<std::pair<float, kernels::RotaryTable>> rotary_tables;

  // The widest of each kind over all layers, for buffers.
  int widest_attention = 0;       // H·K
  int widest_up = 0;              // F, or 2F
  int widest_ffn = 0;             // F
  std::size_t encoded_bytes = 0;  // of one row in a kernel's format
  std::size_t scratch_bytes = 0;  // of matrix products, a worker

  base::AlignedBuffer arena;                              // packed weights
  std::shared_ptr<const formats::Checkpoint> checkpoint;  // keeps the embeddings mapped
};

// Which number format each matrix is multiplied in.
struct FormatChoice {
  std::optional<quant::Format> all;  // unset: each matrix as it is stored
  // By module name; goes before `all`. Query, key and value are one matrix to the engine: where
  // they differ, the three take the most exact of theirs.
  std::map<std::string, quant::Format, std::less<>> modules;
};

// Selects kernels, packs every matrix in parallel, and reads norms and biases. NaN and infinite
// weights are errors that name the tensor. `progress(done, total)` counts matrices, from the
// calling thread; it may be empty.
base::StatusOr<std::unique_ptr<EncoderPlan>> BuildPlan(
    const model::Model& model, const FormatChoice& formats, base::Isa isa, base::ThreadPool& pool,
    const std::function<void(int done, int total)>& progress);

}  // namespace hone::runtime
