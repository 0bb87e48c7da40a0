// What every data set becomes, and what a model says about it: plain structs, no model in sight.
//
//   task                  text        pair       target
//   classification        sentence    second, ∅  label (index in the task's labels)
//   similarity            sentence    second     score
//   question answering    question    context    answers; empty: the question has none
//   tagging               -           -          words and their tags
//   intents and slots     -           -          words, their tags, and the intent
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hone::eval {

struct Example {
  std::string id;  // the file's own, or empty
  int line = 0;    // of the file, where it begins; 0: the format has none
  std::string text;
  // The second text, or null. Shared, since all questions about a passage have it, and a file of
  // many short questions about a long one must not fill memory.
  std::shared_ptr<const std::string> second;
  int label = -1;
  double score = 0;
  std::vector<std::string> answers;
  // Where the first answer begins in the context, in bytes; -1 where the file does not say.
  std::int64_t answer_begin = -1;
  std::vector<std::string> words;
  std::vector<std::string> tags;  // one a word
  std::string intent;             // by name: whoever labels commands chooses the names

  std::string_view pair() const { return second ? std::string_view(*second) : std::string_view(); }
};

struct Examples {
  std::string path;  // of the file, for errors; empty: there is none
  std::vector<Example> items;
  std::size_t skipped = 0;    // rows left out (ReadOptions::skip_bad_rows)
  std::string first_skipped;  // the error of the first of them
};

// The part that the task's Output (tasks.h) asks for is filled in.
struct Prediction {
  int label = -1;                 // index in the task's labels; see MapModelLabels
  double score = 0;               // any monotone measure of similarity
  std::string answer;             // empty: no answer
  std::vector<std::string> tags;  // one a word; shorter where the text was truncated
  std::string intent;
  bool truncated = false;  // the model saw only the beginning of a text
};

}  // namespace hone::eval
