#include "runtime/answer_question.h"

#include <algorithm>

namespace hone::runtime {
namespace {

// Windows in one forward pass; a book-long context must not need a book's activations at once.
constexpr std::size_t kWindowsAtOnce = 16;

void AppendTokens(const text::Encoding& from, std::size_t begin, std::size_t end,
                  text::Encoding* to) {
  const auto append = [&](const auto& source, auto& target) {
    target.insert(target.end(), source.begin() + static_cast<std::ptrdiff_t>(begin),
                  source.begin() + static_cast<std::ptrdiff_t>(end));
  };
  append(from.ids, to->ids);
  append(from.types, to->types);
  append(from.offsets, to->offsets);
  append(from.word, to->word);
  append(from.sequence, to->sequence);
}

}  // namespace

base::StatusOr<std::vector<text::Encoding>> CutIntoWindows(const text::Encoding& pair,
                                                           int max_tokens, int stride) {
  const auto first = std::ranges::find(pair.sequence, std::int8_t{1});
  const auto last = std::find(pair.sequence.rbegin(), pair.sequence.rend(), std::int8_t{1});
  const auto begin = static_cast<std::size_t>(first - pair.sequence.begin());
  const auto end = std::max(begin, static_cast<std::size_t>(pair.sequence.rend() - last));
  const int context = static_cast<int>(end - begin);
  const int around = static_cast<int>(pair.ids.size()) - context;
  const int room = max_tokens - around;
  if (room < 1) {
    return base::BadInput("the question and special tokens take ", around, " of the model's ",
                          max_tokens, " tokens and leave no room for the context");
  }
  std::vector<text::Encoding> windows;
  // A question that leaves little room gets less overlap: each token lies in two windows at most,
  // where a step of one token would make a window for each.
  for (const TokenWindow& window : SplitWindows(context, room, std::min(stride, room / 2))) {
    text::Encoding& encoding = windows.emplace_back();
    AppendTokens(pair, 0, begin, &encoding);
    AppendTokens(pair, begin + static_cast<std::size_t>(window.begin),
                 begin + static_cast<std::size_t>(window.end), &encoding);
    AppendTokens(pair, end, pair.ids.size(), &encoding);
  }
  return windows;
}

base::StatusOr<std::vector<Answer>> AnswerQuestion(TextModel& model, std::string_view question,
                                                   std::string_view context, int stride,
                                                   const AnswerOptions& options) {
  text::Encoding pair;
  model.tokenizer().EncodePair(question, context, {}, &pair);
  HONE_ASSIGN_OR_RETURN(std::vector<text::Encoding> windows,
                        CutIntoWindows(pair, model.max_tokens(), stride));
  std::vector<TextOutput> outputs;
  for (std::size_t begin = 0; begin < windows.size(); begin += kWindowsAtOnce) {
    const std::size_t end = std::min(windows.size(), begin + kWindowsAtOnce);
    std::vector<text::Encoding> some(
        std::make_move_iterator(windows.begin() + static_cast<std::ptrdiff_t>(begin)),
        std::make_move_iterator(windows.begin() + static_cast<std::ptrdiff_t>(end)));
    HONE_ASSIGN_OR_RETURN(TextOutput output, model.RunEncoded(std::move(some)));
    outputs.push_back(std::move(output));
  }
  std::vector<AnswerWindow> answers;
  for (const TextOutput& output : outputs) {
    for (std::size_t w = 0; w < output.encodings.size(); ++w) {
      const text::Encoding& encoding = output.encodings[w];
      const auto begin = static_cast<std::size_t>(output.begins[w]);
      answers.push_back({
          .logits = std::span(output.rows[0]).subspan(2 * begin, 2 * encoding.ids.size()),
          .offsets = encoding.offsets,
          .sequence = encoding.sequence,
          .word = encoding.word,
      });
    }
  }
  return FindAnswers(answers, context, options);
}

}  // namespace hone::runtime
