// What an architecture adds to the common encoder: how its config.json reads, what its tensors are
// called, and what its heads are made of. All of it is data; the loops are in weights.cc and
// heads/.
//
// To add one: architectures/<name>.cc defines `extern const Architecture k<Name>`, and
// architectures/list.inc gets the line HONE_ARCHITECTURE(<Name>).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "kernels/activation.h"
#include "model/config.h"
#include "model/config_reader.h"
#include "model/head.h"

namespace hone::model {

// Modules, without ".weight" and ".bias". Empty: the architecture has no such part.
struct TensorNames {
  std::string_view word = {}, position = {}, type = {}, embeddings_norm = {},
                   embedding_projection = {}, relative_bias = {};
  std::string_view layers = {};  // "encoder.layer.": before the number of a layer and a point
  std::string_view query = {}, key = {}, value = {};
  std::string_view query_key_value = {};  // one matrix of 3·H·K rows instead of the three
  std::string_view output = {}, attention_norm = {}, up = {}, down = {}, ffn_norm = {};
  std::string_view final_norm = {};
};

// A stage of a head, by name.
struct StagePlan {
  static constexpr int kWidth = 0;       // D
  static constexpr int kLabels = -1;     // as many as there are labels
  static constexpr int kEmbedding = -2;  // E

  std::string dense;
  int width = kWidth;
  kernels::Activation activation = kernels::Activation::kNone;
  std::string norm = {};  // empty: none
  bool bias = true;
  bool in_encoder = false;  // the name follows the encoder's prefix ("bert.pooler.dense")
};

struct HeadPlans {
  Rows pooled_rows = Rows::kFirst;  // what sequence classification starts from
  std::vector<StagePlan> sequence, tokens, question;
  std::vector<StagePlan> mask;  // before the decoder
  std::string decoder;          // [V, …]; where it is absent it is the word embedding
  std::string decoder_bias;     // a name of its own, or `decoder` + ".bias"
  bool has_decoder_bias = true;
  std::vector<StagePlan> pooler;  // the joint head uses it where the checkpoint has it
};

struct Architecture {
  std::span<const std::string_view> names;  // `model_type`; the first is ModelConfig::architecture
  std::string_view prefix;                  // usual one of the encoder's tensors: "bert."
  TensorNames tensors;
  // Fills everything but `architecture` and what hone_layers changes.
  void (*parse)(ConfigReader& reader, ModelConfig* config);
  HeadPlans (*heads)(ConfigReader& reader, const ModelConfig& config);
};

std::span<const Architecture* const> Architectures();
// By `model_type`; null where there is none.
const Architecture* FindArchitecture(std::string_view model_type);

// The fields that BERT, RoBERTa, ELECTRA and MPNet share: hidden_size, num_hidden_layers, …
void ParseBertFields(ConfigReader& reader, ModelConfig* config);
// `count` equal layers, and head_size from width and heads; the names are for the error.
void SetLayers(ConfigReader& reader, int count, int heads, std::string_view heads_name, int ffn,
               std::string_view width_name, ModelConfig* config);

}  // namespace hone::model
