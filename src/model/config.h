// What a Transformer encoder is, apart from its weights: plain numbers, read from config.json.
//
// One struct covers every architecture, because they differ in few, orthogonal choices (the fields
// below); an architecture's own file (architectures/*.cc) fills it in and names the tensors.
//
// Dimension legend, used everywhere:
//   B requests  T tokens this step  L layers  D width  H heads  K head size  F feed-forward width
//   V vocabulary  E embedding width (≠ D only in ELECTRA)
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "kernels/activation.h"

namespace hone::model {

enum class NormPlacement {
  kPost,  // x = norm(x + block(x))       BERT and its family
  kPre,   // x = x + block(norm(x))       ModernBERT; one more norm after the last layer
};

// Layers may differ: pruned models have their own heads and widths, ModernBERT alternates
// attention.
struct LayerShape {
  // 0 heads or a width of 0: that block is gone and only its residual stays. Where the norm comes
  // after the block (kPost) the norm remains: h = attention_norm(x), x = ffn_norm(h).
  int heads = 0;               // H
  int ffn = 0;                 // F
  int window = -1;             // visible |s - t| ≤ window; -1: all
  float rotary_base = 0;       // θ of the rotary embedding; 0: none
  bool attention_norm = true;  // pre-norm models: ModernBERT's first layer has none (identity)
};

struct ModelConfig {
  std::string architecture;  // name in the architecture list: "bert", "modernbert", …
  int width = 0;             // D
  int head_size = 0;         // K
  int vocabulary = 0;        // V
  int embedding_width = 0;   // E
  int max_tokens = 0;        // longest text, special tokens included
  int position_offset = 0;   // first position id (RoBERTa: pad id + 1)
  bool learned_positions = true;
  int token_types = 0;  // rows of the type embedding; 0: none
  int pad_id = 0;
  std::vector<LayerShape> layers;
  NormPlacement norm = NormPlacement::kPost;
  float norm_epsilon = 1e-12f;
  kernels::Activation activation = kernels::Activation::kGelu;
  bool gated_ffn = false;  // up gives 2F: activate(first half) · second half
  // Which parts carry a bias vector. ModernBERT has none by default, the others all.
  bool attention_bias = true, ffn_bias = true, norm_bias = true;
  int relative_buckets = 0;  // MPNet's shared relative position bias; 0: none
  int relative_max_distance = 128;

  int layer_count() const { return static_cast<int>(layers.size()); }
};

// Reads config.json by the architecture list. Absent, empty and absurd fields are errors that name
// them; an architecture that Hone lacks is Unsupported and lists those it has.
base::StatusOr<ModelConfig> ParseConfig(const base::JsonValue& config);

}  // namespace hone::model
