#include "runtime/tasks/question_answering.h"

#include <utf8proc.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/utf8.h"

namespace hone::runtime {
namespace {

using std::size_t;

struct Span {
  size_t start = 0, end = 0;  // tokens, inclusive
  double score = 0;
};

// Lower case, to tell which answers read the same.
std::string Folded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const base::DecodedRune decoded = base::DecodeRune(text, i);
    base::AppendRune(
        static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(decoded.rune))), &out);
    i += decoded.size;
  }
  return out;
}

// Column 0 (start) or 1 (end) of the window, softmaxed over its context and first token; 0
// elsewhere.
std::vector<double> Probabilities(const AnswerWindow& window, size_t column) {
  const size_t tokens = window.offsets.size();
  const auto counts = [&](size_t t) { return t == 0 || window.sequence[t] == 1; };
  double largest = window.logits[column], total = 0;
  for (size_t t = 0; t < tokens; ++t) {
    if (counts(t)) largest = std::max(largest, double{window.logits[t * 2 + column]});
  }
  std::vector<double> out(tokens);
  for (size_t t = 0; t < tokens; ++t) {
    if (!counts(t)) continue;
    out[t] = std::exp(window.logits[t * 2 + column] - largest);
    total += out[t];
  }
  for (double& p : out) p /= total;
  return out;
}

// The `count` best spans of the context, best first; of equals, the earlier. A thousand tokens have half a
// million spans: only those that are among the best so far are kept.
std::vector<Span> BestSpans(const AnswerWindow& window, std::span<const double> start,
                            std::span<const double> end, int max_answer_tokens, size_t count) {
  const size_t tokens = window.offsets.size();
  const auto better = [](const Span& a, const Span& b) {
    if (a.score != b.score) return a.score > b.score;
    return std::pair(a.start, a.end) < std::pair(b.start, b.end);
  };
  double largest_end = 0;
  for (size_t e = 1; e < tokens; ++e) {
    if (window.sequence[e] == 1) largest_end = std::max(largest_end, end[e]);
  }
  std::vector<Span> best;  // a heap with the worst in front
  for (size_t s = 1; s < tokens; ++s) {
    if (window.sequence[s] != 1) continue;
    if (best.size() == count && start[s] * largest_end <= best.front().score) continue;
    const size_t stop = std::min(tokens, s + static_cast<size_t>(max_answer_tokens));
    for (size_t e = s; e < stop; ++e) {
      const double score = start[s] * end[e];
      if (window.sequence[e] != 1 || !(score > 0)) continue;
      if (best.size() == count) {
        if (score <= best.front().score) continue;
        std::ranges::pop_heap(best, better);
        best.pop_back();
      }
      best.push_back({s, e, score});
      std::ranges::push_heap(best, better);
    }
  }
  std::ranges::sort_heap(best, better);
  return best;
}

// The bytes of a token, or of the whole word it belongs to as far as the window shows it.
text::Span BytesOf(const AnswerWindow& window, size_t token, bool whole_word) {
  text::Span bytes = window.offsets[token];
  if (!whole_word || window.word[token] < 0) return bytes;
  for (size_t t = 0; t < window.offsets.size(); ++t) {
    if (window.sequence[t] != 1 || window.word[t] != window.word[token]) continue;
    bytes.begin = std::min(bytes.begin, window.offsets[t].begin);
    bytes.end = std::max(bytes.end, window.offsets[t].end);
  }
  return bytes;
}

}  // namespace

std::vector<Answer> FindAnswers(std::span<const AnswerWindow> windows, std::string_view context,
                                const AnswerOptions& options) {
  HONE_CHECK(options.count > 0 && options.max_answer_tokens > 0);
  // Spans that widen to the same words merge, so more are looked at than asked for; the original's
  // number.
  const size_t candidates =
      static_cast<size_t>(options.whole_words ? 2 * options.count + 10 : options.count);
  std::vector<Answer> answers;
  std::vector<std::string> folded;
  double least_null_score = 1;
  for (const AnswerWindow& window : windows) {
    const size_t tokens = window.offsets.size();
    HONE_CHECK(tokens > 0 && window.logits.size() == 2 * tokens);
    HONE_CHECK(window.sequence.size() == tokens && window.word.size() == tokens);
    const std::vector<double> start = Probabilities(window, 0), end = Probabilities(window, 1);
    least_null_score = std::min(least_null_score, start[0] * end[0]);
    for (const Span& span : BestSpans(window, start, end, options.max_answer_tokens, candidates)) {
      const text::Span bytes{BytesOf(window, span.start, options.whole_words).begin,
                             BytesOf(window, span.end, options.whole_words).end};
      std::string text(context.substr(bytes.begin, bytes.end - bytes.begin));
      std::string key = Folded(text);
      const auto same = std::ranges::find(folded, key);
      if (same != folded.end()) {
        answers[static_cast<size_t>(same - folded.begin())].score += span.score;
        continue;
      }
      answers.push_back({std::move(text), span.score, bytes});
      folded.push_back(std::move(key));
    }
  }
  if (options.allow_no_answer && !windows.empty()) answers.push_back({"", least_null_score, {}});
  std::ranges::stable_sort(answers, std::greater<>(), &Answer::score);
  if (answers.size() > static_cast<size_t>(options.count)) {
    answers.resize(static_cast<size_t>(options.count));
  }
  return answers;
}

std::vector<TokenWindow> SplitWindows(int tokens, int room, int stride) {
  HONE_CHECK(tokens >= 0 && stride >= 0 && room > stride);
  std::vector<TokenWindow> windows;
  for (int begin = 0;; begin += room - stride) {
    const int end = std::min(begin + room, tokens);
    windows.push_back({begin, end});
    if (end == tokens) return windows;
  }
}

}  // namespace hone::runtime
