// Gives a model the head that a task needs: a new Hugging Face directory with the encoder's weights
// as they were, what the old head shares with the new one (BERT's pooler), and fresh values for the
// rest: matrices normal(0, initializer_range), biases 0, gains 1, from a seed.
//
// Tensors get the names transformers gives them in a model with a head ("bert.encoder…"), so that
// it loads the directory too. Sentence-transformers' files are left behind: they would say that the
// model still embeds.
//
// Errors  a source that is quantised, or whose config.json Hone does not read; an encoder tensor
//         that is absent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "env/file.h"
#include "model/head.h"

namespace hone::train {

struct HeadNeed {
  model::Task task = model::Task::kSequenceClassification;
  model::ProblemType problem = model::ProblemType::kSingleLabel;
  std::vector<std::string> labels;       // in the order of their numbers; empty where the task has
  std::vector<std::string> slot_labels;  // none
  // A score is as well said by the cosine of two embeddings: such a head stays.
  bool embedding_will_do = false;
};

bool Fits(const model::Head& head, const HeadNeed& need);

struct FitOptions {
  std::uint64_t seed = 1;
  // Every weight is fresh: `in` has config.json and a tokenizer, and any weights are ignored.
  bool from_scratch = false;
};

base::Status FitHead(env::FileSystem& files, const std::string& in, const HeadNeed& need,
                     const FitOptions& options, const std::string& out);

}  // namespace hone::train
