// SQuAD's scores of an answer and of a data set, in percent, as its evaluation scripts print them.
//
// Normalise   lower case · delete ASCII punctuation · the words a, an, the become a blank · join
//             what is left by single blanks
// Exact       1 where the normalised texts are equal
// F1          of the two bags of normalised words; 0 where they share none
// An answer's score is the best over the expected answers. Version 2 adds: an expected answer that
// is nothing after normalising does not count, a question without expected answers expects "", and
// where either side has no words F1 is 1 if neither has.
//
// Source  Rajpurkar et al. 2016 (arXiv:1606.05250) §6.1, 2018 (arXiv:1806.03822) and the published
//         evaluate-v1.1.py and evaluate-v2.0.py. Checked by tests/golden/eval.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "eval/example.h"

namespace hone::eval {

// Invalid UTF-8 counts as U+FFFD.
std::string NormalizeAnswer(std::string_view text);

// Of one pair, 0 or 1, and 0 … 1. `both_empty` is what F1 is when neither side has words (version
// 2: 1).
double AnswerExact(std::string_view expected, std::string_view predicted);
double AnswerF1(std::string_view expected, std::string_view predicted, double both_empty);

struct SquadPart {
  double exact = 0, f1 = 0;  // percent; 0 where total is 0
  std::size_t total = 0;
};

struct SquadScores {
  SquadPart all;
  SquadPart has_answer, no_answer;  // version 2
};

// Spans of one length (a CHECK).
SquadScores ScoreSquad1(std::span<const Example> examples, std::span<const Prediction> predictions);
SquadScores ScoreSquad2(std::span<const Example> examples, std::span<const Prediction> predictions);

}  // namespace hone::eval
