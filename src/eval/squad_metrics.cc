#include "eval/squad_metrics.h"

#include <utf8proc.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace hone::eval {
namespace {

using Runes = std::u32string;

utf8proc_category_t Category(char32_t rune) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(rune));
}

bool IsLetter(char32_t rune) {
  const utf8proc_category_t category = Category(rune);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

// What Python's \w matches: the articles are words in its sense.
bool IsWord(char32_t rune) {
  const utf8proc_category_t category = Category(rune);
  return IsLetter(rune) || rune == U'_' ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

// What Python's str.split() splits at.
bool IsSpace(char32_t rune) {
  return (rune >= 0x09 && rune <= 0x0D) || (rune >= 0x1C && rune <= 0x20) || rune == 0x85 ||
         rune == 0x2028 || rune == 0x2029 || Category(rune) == UTF8PROC_CATEGORY_ZS;
}

bool IsAsciiPunctuation(char32_t rune) {
  return (rune >= 0x21 && rune <= 0x2F) || (rune >= 0x3A && rune <= 0x40) ||
         (rune >= 0x5B && rune <= 0x60) || (rune >= 0x7B && rune <= 0x7E);
}

Runes Decode(std::string_view text) {
  Runes runes;
  runes.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const base::DecodedRune decoded = base::DecodeRune(text, i);
    runes.push_back(decoded.rune);
    i += decoded.size;
  }
  return runes;
}

// Lower case as Python has it: one rune each but for dotted İ; a capital sigma that ends a word is
// ς.
Runes Lower(const Runes& text) {
  constexpr char32_t kDottedI = 0x130, kDotAbove = 0x307, kSigma = 0x3A3, kFinalSigma = 0x3C2;
  Runes lower;
  lower.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kDottedI) {
      lower += {U'i', kDotAbove};
    } else if (text[i] == kSigma && i > 0 && IsLetter(text[i - 1]) &&
               (i + 1 == text.size() || !IsLetter(text[i + 1]))) {
      lower.push_back(kFinalSigma);
    } else {
      lower.push_back(
          static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i]))));
    }
  }
  return lower;
}

bool IsArticle(std::u32string_view word) {
  return word == U"a" || word == U"an" || word == U"the";
}

// The normalised words. Articles are found first, as maximal runs of \w, then blanks split: "a-b"
// has lost its hyphen before, but in "a–b" the dash stays and the article goes, which leaves "–b".
std::vector<std::string> NormalizedWords(std::string_view text) {
  Runes kept;
  for (const char32_t rune : Lower(Decode(text))) {
    if (!IsAsciiPunctuation(rune)) kept.push_back(rune);
  }
  std::vector<std::string> words;
  std::string word;
  auto finish = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (std::size_t i = 0; i < kept.size();) {
    std::size_t end = i;
    while (end < kept.size() && IsWord(kept[end])) ++end;
    if (IsArticle(std::u32string_view(kept).substr(i, end - i))) {
      finish();  // the article became a blank
      i = end;
      continue;
    }
    for (; i < end; ++i) base::AppendRune(kept[i], &word);
    if (i < kept.size()) {
      if (IsSpace(kept[i])) {
        finish();
      } else {
        base::AppendRune(kept[i], &word);
      }
      ++i;
    }
  }
  finish();
  return words;
}

struct Sums {
  double exact = 0, f1 = 0;
  std::size_t total = 0;
  void Add(double exact_one, double f1_one) {
    exact += exact_one;
    f1 += f1_one;
    ++total;
  }
  SquadPart Part() const {
    if (total == 0) return {};
    const double scale = 100.0 / static_cast<double>(total);
    return {exact * scale, f1 * scale, total};
  }
};

}  // namespace

std::string NormalizeAnswer(std::string_view text) {
  return base::Join(NormalizedWords(text), " ");
}

double AnswerExact(std::string_view expected, std::string_view predicted) {
  return NormalizedWords(expected) == NormalizedWords(predicted) ? 1 : 0;
}

double AnswerF1(std::string_view expected, std::string_view predicted, double both_empty) {
  const std::vector<std::string> a = NormalizedWords(expected), b = NormalizedWords(predicted);
  if (a.empty() || b.empty()) return a.empty() && b.empty() ? both_empty : 0;
  std::map<std::string_view, int> left;
  for (const std::string& word : a) ++left[word];
  int shared = 0;
  for (const std::string& word : b) {
    const auto found = left.find(word);
    if (found != left.end() && found->second-- > 0) ++shared;
  }
  if (shared == 0) return 0;
  // 2·P·R / (P+R) with P = shared/|b| and R = shared/|a|
  return 2.0 * shared / static_cast<double>(a.size() + b.size());
}

SquadScores ScoreSquad1(std::span<const Example> examples,
                        std::span<const Prediction> predictions) {
  HONE_CHECK(examples.size() == predictions.size());
  Sums all;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    double exact = 0, f1 = 0;
    for (const std::string& answer : examples[i].answers) {
      exact = std::max(exact, AnswerExact(answer, predictions[i].answer));
      f1 = std::max(f1, AnswerF1(answer, predictions[i].answer, 0));
    }
    all.Add(exact, f1);
  }
  return {all.Part(), {}, {}};
}

SquadScores ScoreSquad2(std::span<const Example> examples,
                        std::span<const Prediction> predictions) {
  HONE_CHECK(examples.size() == predictions.size());
  Sums all, has_answer, no_answer;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    double exact = 0, f1 = 0;
    bool expects_answer = false;
    for (const std::string& answer : examples[i].answers) {
      if (NormalizeAnswer(answer).empty()) continue;
      expects_answer = true;
      exact = std::max(exact, AnswerExact(answer, predictions[i].answer));
      f1 = std::max(f1, AnswerF1(answer, predictions[i].answer, 1));
    }
    if (!expects_answer) {
      exact = AnswerExact("", predictions[i].answer);
      f1 = AnswerF1("", predictions[i].answer, 1);
    }
    all.Add(exact, f1);
    // The breakdown goes by what the file says, the scores by what normalising left, as published.
    (examples[i].answers.empty() ? no_answer : has_answer).Add(exact, f1);
  }
  return {all.Part(), has_answer.Part(), no_answer.Part()};
}

}  // namespace hone::eval
