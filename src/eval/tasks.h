// The tasks: how each is published, what a model must say, and how that is scored.
//
// Usage
//   HONE_ASSIGN_OR_RETURN(const eval::Task* task, eval::FindTask("sst2"));
//   HONE_ASSIGN_OR_RETURN(eval::Examples examples,
//                         eval::ReadExamples(*task, bytes, "dev.tsv", {}));
//
// A task is one line of the list in tasks.cc: its reader, columns, labels, output and scorer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "eval/columns.h"
#include "eval/example.h"
#include "eval/reader.h"

namespace hone::eval {

// Which part of a Prediction the task needs, and so which heads can do it.
enum class Output : std::uint8_t {
  kLabel,   // sequence classification with the task's labels
  kScore,   // regression, a cross-encoder, or the cosine of two embeddings
  kAnswer,  // extractive question answering; question first
  kTags,    // token classification, words given
  kJoint,   // an intent for the text and a tag for each word, words given
};

// In the order in which they are shown. GLUE's and the entities' are fractions, SQuAD's percent,
// each as its published implementation prints it.
using Metrics = std::vector<std::pair<std::string, double>>;

struct Task {
  std::string_view name;
  Output output;
  std::span<const std::string_view> labels;  // kLabel only
  base::StatusOr<Examples> (*read)(std::string_view bytes, std::string_view path, const ReadSpec&);
  std::string_view columns;       // of the published file's header; see columns.h
  std::string_view numbered;      // of a published file without one
  std::string_view json_columns;  // of JSON lines, as Hugging Face names them
  Metrics (*score)(std::span<const Example>, std::span<const Prediction>);
  std::string_view primary;  // the metric by which models are chosen; larger is better
};

// The primary metric's value, in the units of `metrics`. HONE_CHECKs that it is there.
double Primary(const Task& task, const Metrics& metrics);

std::span<const Task> Tasks();

// An unknown name is an error that lists the known ones.
base::StatusOr<const Task*> FindTask(std::string_view name);

struct ReadOptions {
  std::string columns;         // instead of the task's own; see columns.h
  bool skip_bad_rows = false;  // leave out rows that would be errors; Examples counts them
};

// Reads the task's published layout, or JSON lines where that is the layout, `path` ends in ".jsonl"
// or (the reader being not for JSON) the first byte that is not blank is "{".
base::StatusOr<Examples> ReadExamples(const Task& task, std::string_view bytes,
                                      std::string_view path, const ReadOptions& options);

}  // namespace hone::eval
