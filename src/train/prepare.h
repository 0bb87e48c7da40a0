// Everything a run needs before its first step, from the files that a request names.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "compress/draft.h"
#include "compress/trainer.h"
#include "env/file.h"
#include "eval/tasks.h"
#include "text/tokenizer.h"
#include "train/batches.h"
#include "train/examples.h"

namespace hone::train {

struct Prepared {
  explicit Prepared(compress::Draft with) : draft(std::move(with)) {}

  compress::Draft draft;    // with the head that the task needs
  bool fresh_head = false;  // nobody has trained it
  std::shared_ptr<const text::Tokenizer> tokenizer;
  const eval::Task* task = nullptr;  // null: "mlm", "none"
  Objective objective = Objective::kText;
  Dataset data;
  int max_tokens = 0;               // a text's, and the model's own limit kept
  bool types = false;               // the model tells a pair's texts apart
  std::optional<MaskPlan> masks;    // kMaskedWords
  eval::Examples dev;               // with a task
  std::optional<Dataset> dev_text;  // of "mlm"
  std::vector<std::string> notes;   // for whoever started the run
  std::string request;              // RequestText
};

// `request.out`'s state directory holds the model with its new head, where it needs one; with
// `resume`, one that is there already is taken.
base::StatusOr<Prepared> Prepare(env::FileSystem& files, const compress::TrainRequest& request);

}  // namespace hone::train
