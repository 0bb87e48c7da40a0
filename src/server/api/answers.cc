#include "server/api/answers.h"

#include <algorithm>

#include "runtime/answer_question.h"
#include "server/api/texts.h"

namespace hone::server {

std::vector<runtime::Entity> EntitiesOf(const Endpoint& endpoint, std::string_view text,
                                        const text::Encoding& encoding, const TextResult& result,
                                        runtime::Aggregation aggregation) {
  const std::vector<std::uint8_t> continues =
      runtime::ContinuesWord(*endpoint.tokenizer, encoding, text);
  return runtime::FindEntities({.text = text,
                                .logits = result.outputs[0].values,
                                .offsets = encoding.offsets,
                                .sequence = encoding.sequence,
                                .continues = continues},
                               endpoint.head.labels, aggregation);
}

runtime::JointResult JointOf(const Endpoint& endpoint, std::string_view text,
                             const text::Encoding& encoding, const TextResult& result) {
  const std::vector<std::uint8_t> continues =
      runtime::ContinuesWord(*endpoint.tokenizer, encoding, text);
  return runtime::ReadJoint(result.outputs[0].values, endpoint.head.labels,
                            {.text = text,
                             .logits = result.outputs[1].values,
                             .offsets = encoding.offsets,
                             .sequence = encoding.sequence,
                             .continues = continues},
                            endpoint.head.slot_labels);
}

std::vector<runtime::LabelScore> LabelsOf(const Endpoint& endpoint, const TextResult& result,
                                          int count) {
  const model::Head& head = endpoint.head;
  const auto function = endpoint.task == model::Task::kJoint
                            ? runtime::ScoreFunction::kSoftmax
                            : runtime::ScoreFunctionOf(head.problem);
  return runtime::ScoreLabels(result.outputs[0].values, head.labels, function, count);
}

MaybeFault MakeWindows(const Endpoint& endpoint, const std::string& question,
                       const std::string& context, int stride, int max_windows,
                       std::vector<text::Encoding>* windows) {
  for (const std::string* text : {&question, &context}) {
    if (text->size() <= kMaxTextBytes) continue;
    return TooLarge(text == &question ? "question" : "context", "a text of ", text->size(),
                    " bytes is over the limit of ", kMaxTextBytes);
  }
  text::Encoding& pair = WarmEncoding(endpoint.tokenizer.get());
  endpoint.tokenizer->EncodePair(question, context, {}, &pair);
  const auto tokens = std::ranges::count(pair.sequence, std::int8_t{1});
  const auto room = endpoint.max_tokens - static_cast<std::ptrdiff_t>(pair.ids.size()) + tokens;
  // Counted before they are made, as CutIntoWindows makes them.
  if (room > 0) {
    const auto step = room - std::min<std::ptrdiff_t>(stride, room / 2);
    const auto count = tokens <= room ? 1 : 1 + (tokens - room + step - 1) / step;
    if (count > max_windows) {
      return TooLarge("context", "makes ", count, " windows, more than the limit of ", max_windows);
    }
  }
  auto cut = runtime::CutIntoWindows(pair, endpoint.max_tokens, stride);
  if (!cut.ok()) {
    const auto message = cut.status().message();
    return TooLarge("question", std::string_view(message.data(), message.size()));
  }
  *windows = *std::move(cut);
  return {};
}

std::vector<runtime::Answer> AnswersOf(std::span<const text::Encoding> windows,
                                       std::span<const TextResult> results,
                                       std::string_view context,
                                       const runtime::AnswerOptions& options) {
  std::vector<runtime::AnswerWindow> answers;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    answers.push_back({.logits = results[w].outputs[0].values,
                       .offsets = windows[w].offsets,
                       .sequence = windows[w].sequence,
                       .word = windows[w].word});
  }
  return runtime::FindAnswers(answers, context, options);
}

MaybeFault CheckFillings(const Endpoint& endpoint, std::span<const text::Encoding> encodings,
                         int count, std::string_view field) {
  constexpr std::int64_t kMost = 4096;
  std::int64_t masks = 0;
  for (const text::Encoding& encoding : encodings) {
    masks += std::ranges::count(encoding.ids, endpoint.tokenizer->mask_id().value_or(-1));
  }
  if (masks * count <= kMost) return {};
  return TooLarge(field, masks, " masks with ", count, " fillings each are over the limit of ",
                  kMost, " fillings");
}

std::vector<std::vector<runtime::TokenScore>> FillingsOf(const TextResult& result, int count) {
  const Rows& rows = result.outputs[0];
  std::vector<std::vector<runtime::TokenScore>> fillings;
  for (int r = 0; r < rows.rows(); ++r) {
    const auto width = static_cast<std::size_t>(rows.width);
    fillings.push_back(runtime::FillMask(
        std::span(rows.values).subspan(static_cast<std::size_t>(r) * width, width), count));
  }
  return fillings;
}

}  // namespace hone::server
