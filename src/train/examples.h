// What a model is trained on: examples of a task, or plain lines of text, as tokens with targets.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(const Objective objective, ObjectiveOf(task, head));
//   HONE_ASSIGN_OR_RETURN(Dataset data, MakeDataset(examples, objective, head, encode));
//
// Pairs        one text of two segments, as the tokenizer joins them; for kSimilarity two texts
// Words        tagged at each word's first token; other tokens count for nothing
// Questions    a long context becomes windows that share 128 tokens (less where they are short); in
//              a window without the answer it is the first token
// Empty texts  are left out and counted
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "eval/example.h"
#include "eval/tasks.h"
#include "model/head.h"
#include "text/tokenizer.h"

namespace hone::train {

enum class Objective : std::uint8_t {
  kText,         // no target of its own: only a teacher says what is right
  kLabel,        // one class
  kMultiLabel,   // any number of classes; the data give one
  kRegression,   // a number
  kSimilarity,   // the cosine of two texts' vectors
  kTags,         // a class for each word
  kAnswer,       // where the answer begins and ends
  kJoint,        // a class, and one for each word
  kMaskedWords,  // what stood there before the mask
};

inline constexpr std::int32_t kNoLabel = -100;  // of a token that counts for nothing

// Ragged: text i has the tokens [begins[i], begins[i+1]); item j the texts
// [j·texts_per_item, (j+1)·texts_per_item). The targets that the objective has are filled in.
struct Dataset {
  Objective objective = Objective::kText;
  int texts_per_item = 1;
  std::vector<std::int32_t> ids, types;
  std::vector<std::size_t> begins = {0};
  std::vector<std::int32_t> labels;              // an item
  std::vector<float> scores;                     // an item
  std::vector<std::int32_t> token_labels;        // a token
  std::vector<std::pair<int, int>> answers;      // an item: first and last token of its text
  std::vector<std::uint32_t> example;            // an item: index of its example
  std::size_t examples = 0, empty = 0, cut = 0;  // read, left out, shortened

  std::size_t items() const { return example.size(); }
  int Tokens(std::size_t item) const {
    const auto texts = static_cast<std::size_t>(texts_per_item);
    return static_cast<int>(begins[(item + 1) * texts] - begins[item * texts]);
  }
};

struct EncodeText {
  const text::Tokenizer& tokenizer;
  int max_tokens = 128;
};

// What the head is trained for by the task. kText where there is no task, or its weight is 0 and
// the texts are plain.
base::StatusOr<Objective> ObjectiveOf(const eval::Task& task, const model::Head& head);

// Errors: a label that the head lacks, nothing left to train on, classes of which only one occurs.
base::StatusOr<Dataset> MakeDataset(std::span<const eval::Example> examples, const eval::Task& task,
                                    Objective objective, const model::Head& head,
                                    const EncodeText& encode);

// Lines of text, with a second text after a tab. Lines longer than the model are cut, for
// kMaskedWords into pieces that are all used.
base::StatusOr<Dataset> MakeTextDataset(std::span<const std::string> lines, Objective objective,
                                        const EncodeText& encode);

// Takes away the items with fewer tokens than that; the number of them.
std::size_t LeaveOutShort(int min_tokens, Dataset* data);

}  // namespace hone::train
