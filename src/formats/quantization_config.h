// `quantization_config` of config.json, in the compressed-tensors convention: how the checkpoint's
// quantised matrices are to be read, by Hone and by transformers alike.
//
//   int8   format "int-quantized":   weights 8 bits, symmetric, one scale a channel;
//                                    activations 8 bits, symmetric, a scale a token, dynamic
//   int4   format "pack-quantized":  weights 4 bits, groups of inputs, with zero points or without;
//                                    activations in float, or 8 bits as above
//
// A model may mix them: one member of config_groups for each format, and what none targets is float.
// Embedding tables are groups like any other, whose inputs are token ids and so have no activations.
// Hone reads each matrix as it lies in the file and never matches targets: they are for others.
// It computes with 8-bit activations in either case. Anything else of the convention is Unsupported
// with the field's path.
// Source  the fields that the compressed-tensors package 0.20 reads and writes.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "formats/checkpoint.h"

namespace hone::formats {

struct QuantizationGroup {
  StoredKind kind = StoredKind::kInt8;    // kInt8 or kInt4
  int group = 0;                          // int4: inputs that share a scale; 0: all of a row
  bool symmetric = true;                  // int4: no zero points
  bool activations = true;                // inputs are 8 bits too; false where none are: tables
  std::vector<std::string> targets = {};  // module names, class names, or "re:" and an expression
};

struct QuantizationConfig {
  std::vector<QuantizationGroup> groups = {};  // none: nothing is quantised
  std::vector<std::string> ignore = {};        // modules that a target names but that are float

  // The group size that all int4 groups share; 0 where they differ or there are none.
  int packed_group() const;
};

// `config` is the root of config.json. Without quantization_config (or with null): no groups.
base::StatusOr<QuantizationConfig> ParseQuantizationConfig(const base::JsonValue& config);

// Writes the value of the key "quantization_config". There must be a group.
void WriteQuantizationConfig(const QuantizationConfig& config, base::JsonWriter* json);

}  // namespace hone::formats
