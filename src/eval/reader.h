// Data set files to examples. Every reader takes the bytes of a whole file and its name for errors.
//
// Errors  name file and line (or JSON path): missing columns, unknown labels, a wrong number of
//         fields, an empty file.
// Memory  proportional to the file.
#pragma once

#include <span>
#include <string_view>

#include "base/status.h"
#include "eval/columns.h"
#include "eval/example.h"

namespace hone::eval {

// What a reader must know of the task, and what the user asked for.
struct ReadSpec {
  Columns columns;                           // of the header, or of JSON lines
  Columns numbered;                          // of a table without a header; empty: it must have one
  std::span<const std::string_view> labels;  // of a classification task
  bool skip_bad_rows = false;  // leave out what would be an error of one row, and count
};

// Tab-separated, unquoted, as GLUE publishes its tasks. The first line is a header when it has all
// named columns; otherwise spec.numbered applies, where rows may have more fields than are used.
base::StatusOr<Examples> ReadTable(std::string_view bytes, std::string_view path,
                                   const ReadSpec& spec);

// One JSON object a line. Labels are names or indices; words and tags are arrays of strings; an
// intent is a name; answers an array of strings, or {"text": [...]} as Hugging Face's SQuAD has it.
base::StatusOr<Examples> ReadJsonLines(std::string_view bytes, std::string_view path,
                                       const ReadSpec& spec);

// SQuAD 1.1 and 2.0: {"data":[{"paragraphs":[{"context","qas":[{"id","question","answers",
// "is_impossible"}]}]}]}. Impossible questions get no answers, whatever the file lists.
// Source  Rajpurkar et al. 2016, arXiv:1606.05250, and 2018, arXiv:1806.03822.
base::StatusOr<Examples> ReadSquad(std::string_view bytes, std::string_view path,
                                   const ReadSpec& spec);

// CoNLL columns: one word a line, columns separated by blanks, a blank line after each sentence,
// "-DOCSTART-" lines ignored. Word first and tag last, unless spec.numbered says otherwise.
// Source  Tjong Kim Sang and De Meulder 2003, the CoNLL-2003 shared task.
base::StatusOr<Examples> ReadConll(std::string_view bytes, std::string_view path,
                                   const ReadSpec& spec);

// "O", or B-, I-, E- or S- and a type.
bool IsTag(std::string_view tag);

// "dev.tsv:14"
std::string At(std::string_view path, int line);

// Adds the example, which begins at `line`, or leaves it out and counts it when the spec allows that.
base::Status Keep(base::StatusOr<Example> example, int line, const ReadSpec& spec,
                  Examples* examples);

// The examples, or an error where there is none.
base::StatusOr<Examples> NotEmpty(Examples examples, std::string_view path);

}  // namespace hone::eval
