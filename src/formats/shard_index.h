// model.safetensors.index.json: which shard holds which tensor.
//
//   {"metadata": {…},
//    "weight_map": {"encoder.layer.0.output.dense.weight": "model-00001-of-00002.safetensors", …}}
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace hone::formats {

struct ShardIndex {
  std::vector<std::string> shards;                          // names, sorted, each once
  std::vector<std::pair<std::string, std::string>> places;  // tensor, shard; in the file's order
};

// Shard names are plain file names: nothing that leaves the index's directory.
base::StatusOr<ShardIndex> ParseShardIndex(std::string_view text, std::string_view source);

}  // namespace hone::formats
