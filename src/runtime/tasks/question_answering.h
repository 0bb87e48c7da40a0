// Answers from start and end logits, as transformers' question-answering pipeline finds them.
//
// A context longer than the model is read in overlapping windows. In each, start and end logits are
// softmaxed over the context's tokens and the first token ([CLS], which stands for "no answer"),
// and
//
//   score(s, e) = start[s] · end[e]      s ≤ e < s + max_answer_tokens,  s and e of the context
//
// The best spans of all windows are widened to whole words; spans that read the same (case ignored)
// add their scores. "No answer" scores the least start[0] · end[0] of all windows.
//
// Source  transformers/pipelines/question_answering.py (4.x, gone in 5); Chen et al. 2017,
//         arXiv:1704.00051.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace hone::runtime {

// One window: question and context, encoded as a pair. All spans have one element a token.
struct AnswerWindow {
  std::span<const float> logits;          // [T,2]: start, end
  std::span<const text::Span> offsets;    // of the context's tokens: bytes of the whole context
  std::span<const std::int8_t> sequence;  // 1 for the context's tokens
  std::span<const std::int32_t> word;     // index of the pre-token within its text
};

struct AnswerOptions {
  int count = 1;  // n best
  int max_answer_tokens = 15;
  bool allow_no_answer = false;
  bool whole_words = true;
};

struct Answer {
  std::string text;  // empty: no answer
  double score = 0;
  text::Span span;  // bytes of the context
};

// Best first. Fewer than `count` where there are fewer.
std::vector<Answer> FindAnswers(std::span<const AnswerWindow> windows, std::string_view context,
                                const AnswerOptions& options);

// Windows [begin, end) over `tokens` of a context where `room` fit at a time and neighbours share
// `stride`, as Hugging Face tokenizers' truncation makes them. room > stride ≥ 0.
struct TokenWindow {
  int begin = 0, end = 0;
  bool operator==(const TokenWindow&) const = default;
};
std::vector<TokenWindow> SplitWindows(int tokens, int room, int stride);

}  // namespace hone::runtime
