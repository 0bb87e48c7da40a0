// The modules of a layer by the names they have in a checkpoint, prefix included.
#pragma once

#include <string>

#include "formats/checkpoint.h"
#include "model/config.h"

namespace hone::compress {

struct LayerNames {
  std::string prefix;             // of all of the layer's tensors: "bert.encoder.layer.3."
  std::string query, key, value;  // or, fused as rows in that order:
  std::string query_key_value;
  std::string output, attention_norm, up, down, ffn_norm;
};

LayerNames NamesOfLayer(const model::ModelConfig& config, const formats::Checkpoint& checkpoint,
                        int layer);

}  // namespace hone::compress
