// A model directory, opened: configuration, weights (mapped) and head.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(auto model, model::Model::Open(env::RealFileSystem(), "minilm"));
//   runtime::LocalEngine packs it; model::ReferenceForward computes it slowly and readably.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "env/file.h"
#include "formats/checkpoint.h"
#include "model/config.h"
#include "model/head.h"
#include "model/weights.h"

namespace hone::model {

struct Model {
  std::string directory;
  ModelConfig config;
  EncoderWeights weights;
  Head head;
  int max_text_tokens =
      0;  // sentence_bert_config.json's max_seq_length where present, else config's
  std::shared_ptr<const formats::Checkpoint> checkpoint;

  static base::StatusOr<Model> Open(env::FileSystem& files, const std::string& directory);

  // The same with another config.json's text and other weights than the directory's own, which still
  // gives the head's modules. For models that are being changed in memory.
  static base::StatusOr<Model> Bind(env::FileSystem& files, const std::string& directory,
                                    std::string_view config_json,
                                    std::shared_ptr<const formats::Checkpoint> checkpoint);

  // The same from config.json alone, with seeded random weights in memory: for benchmarks.
  static base::StatusOr<Model> Random(env::FileSystem& files, const std::string& directory,
                                      std::uint64_t seed);
};

}  // namespace hone::model
