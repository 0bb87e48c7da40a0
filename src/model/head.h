// Heads: what is computed from the encoder's output [T,D], described as data.
//
// A head has one or two outputs (the joint head: intent and slots). Each picks rows of the
// encoder's output and sends them through stages  y = norm(activate(dense(x))). What the numbers
// mean (softmax, labels, spans) is runtime/tasks' business.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/status.h"
#include "formats/checkpoint.h"
#include "kernels/activation.h"
#include "model/config.h"
#include "model/weights.h"

namespace hone::model {

enum class Task {
  kEmbedding,               // one vector a text
  kSequenceClassification,  // labels, or a score, a text or pair; a cross-encoder is one with one
                            // label
  kTokenClassification,     // a label a token
  kQuestionAnswering,       // start and end logits a token
  kFillMask,                // the vocabulary's logits at each mask
  kJoint,                   // an intent a text and a slot a token
};

enum class Rows {
  kFirst,   // the first token
  kLast,    // the last token
  kMean,    // the mean over the text's tokens
  kMax,     // the maximum over the text's tokens
  kAll,     // every token
  kMasked,  // the tokens whose id is the tokenizer's mask
};

struct HeadStage {
  Linear dense;  // empty weight: identity
  kernels::Activation activation = kernels::Activation::kNone;
  Norm norm;
};

struct HeadOutput {
  std::string name;  // "embedding", "logits", "intent", "slots"
  Rows rows = Rows::kFirst;
  std::vector<HeadStage> stages = {};  // applied in order; none: the rows themselves
  int width = 0;                       // of the result
};

enum class ProblemType { kSingleLabel, kMultiLabel, kRegression };

struct Head {
  Task task = Task::kEmbedding;
  std::vector<HeadOutput> outputs;
  std::vector<std::string> labels;       // id2label; of the intent for kJoint
  std::vector<std::string> slot_labels;  // kJoint
  ProblemType problem = ProblemType::kSingleLabel;
  bool normalize = false;  // kEmbedding: to unit length
  // Weights that lie in folders of their own (sentence-transformers' Dense); the views point into
  // them.
  std::vector<std::shared_ptr<const formats::Checkpoint>> checkpoints;
};

// Opens the weights in a folder; Model::Random passes one that makes them up.
using CheckpointOpener = std::function<base::StatusOr<std::shared_ptr<const formats::Checkpoint>>(
    const std::string& directory)>;

// Finds the head from `architectures` in config.json and from modules.json (sentence-transformers),
// and binds its weights. A plain encoder without modules.json embeds by mean, not normalised.
base::StatusOr<Head> BindHead(env::FileSystem& files, const std::string& directory,
                              const base::JsonValue& config_json, const ModelConfig& config,
                              const std::shared_ptr<const formats::Checkpoint>& checkpoint,
                              const CheckpointOpener& open);

}  // namespace hone::model
