// Class names: of a task, as data sets write them, and as models do.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace hone::eval {

// The index of `text` in `labels`: one of the names (case, "-" and " " for "_" aside), or a decimal
// index. -1 where it is neither.
int FindLabel(std::span<const std::string_view> labels, std::string_view text);

// The same, with an error for the reader of a file: `where` is "dev.tsv:14".
base::StatusOr<int> ParseLabel(std::span<const std::string_view> labels, std::string_view text,
                               std::string_view where);

// What each class of a model means in the task: result[model class] = index in the task's labels.
// By name where all names match; "LABEL_i", as transformers names classes that nobody named, is i.
// An error names both lists.
base::StatusOr<std::vector<int>> MapModelLabels(std::span<const std::string_view> labels,
                                                std::span<const std::string> model_labels);

}  // namespace hone::eval
