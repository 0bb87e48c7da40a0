// The weights of an encoder, in one shape for every architecture; views into a mapped checkpoint.
//
// Forward (model/reference.h is the readable one, runtime/ the fast one):
//   x = embeddings_norm(word[id] + position[p] + type[t])  (· embedding_projection)
//   kPost:  h = attention_norm(x + output(attend(query x, key x, value x)))
//           x = ffn_norm(h + down(activate(up h)))
//   kPre:   h = x + output(attend(… attention_norm(x)))
//           x = h + down(… ffn_norm(h));  final_norm at the end
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/checkpoint.h"
#include "model/config.h"
#include "tensor/tensor.h"

namespace hone::model {

struct Linear {
  formats::StoredMatrix weight;  // [N,K]
  tensor::TensorView bias;       // [N], or empty
};

struct Norm {
  tensor::TensorView gain;  // [D]; empty: this norm is the identity
  tensor::TensorView bias;  // [D], or empty
  bool empty() const { return gain.empty(); }
};

struct LayerWeights {
  Linear query, key, value;  // [H·K, D]
  Linear output;             // [D, H·K]
  Norm attention_norm;
  Linear up;    // [F, D], or [2F, D] where the feed-forward is gated
  Linear down;  // [D, F]
  Norm ffn_norm;
};

struct EncoderWeights {
  // Embedding tables [rows, E]: float, int8 with a scale a row, or int4 with group scales.
  formats::StoredMatrix word, position, type;
  Norm embeddings_norm;
  Linear embedding_projection;       // [D, E], or empty
  tensor::TensorView relative_bias;  // [relative_buckets, H], or empty
  std::vector<LayerWeights> layers;
  Norm final_norm;  // kPre only
};

// Binds the tensors of a checkpoint to the places above and checks every shape against the config.
base::StatusOr<EncoderWeights> BindEncoder(const ModelConfig& config,
                                           const formats::Checkpoint& checkpoint);

// The bucket of a relative position, as T5 and MPNet define it (bidirectional). delta = s - t.
int RelativeBucket(int delta, int buckets, int max_distance);

}  // namespace hone::model
