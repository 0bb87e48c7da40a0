#include "runtime/tasks/token_classification.h"

#include <algorithm>

#include "base/check.h"
#include "runtime/tasks/scores.h"

namespace hone::runtime {
namespace {

using std::size_t;

// A token, or a word once its tokens agree.
struct Item {
  int label = 0;
  double score = 0;
  text::Span span;
  int first_token = 0, last_token = 0;
};

struct Token {
  std::vector<float> scores;
  size_t index = 0;
};

size_t CountRunes(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;  // not a continuation byte
  }));
}

Item Label(const TokenLogits& input, std::span<const Token> word, std::span<const float> scores) {
  Item item;
  item.label = ArgMax(scores);
  item.score = scores[static_cast<size_t>(item.label)];
  item.first_token = static_cast<int>(word.front().index);
  item.last_token = static_cast<int>(word.back().index);
  item.span = {input.offsets[word.front().index].begin, input.offsets[word.back().index].end};
  return item;
}

Item LabelWord(const TokenLogits& input, std::span<const Token> word, Aggregation aggregation) {
  if (aggregation == Aggregation::kFirst) return Label(input, word, word[0].scores);
  if (aggregation == Aggregation::kMax) {
    const Token* surest = &word[0];
    for (const Token& token : word) {
      if (std::ranges::max(token.scores) > std::ranges::max(surest->scores)) surest = &token;
    }
    return Label(input, word, surest->scores);
  }
  std::vector<float> mean(word[0].scores.size());
  for (size_t i = 0; i < mean.size(); ++i) {
    double sum = 0;
    for (const Token& token : word) sum += token.scores[i];
    mean[i] = static_cast<float>(sum / static_cast<double>(word.size()));
  }
  return Label(input, word, mean);
}

// "B-PER" → {true, "PER"}; a label without a prefix continues, like "I-".
struct Tag {
  bool begins;
  std::string_view name;
};
Tag TagOf(std::string_view label) {
  if (label.starts_with("B-")) return {true, label.substr(2)};
  if (label.starts_with("I-")) return {false, label.substr(2)};
  return {false, label};
}

Entity Join(std::span<const Item> group, std::span<const std::string> labels) {
  const std::string& label = labels[static_cast<size_t>(group[0].label)];
  Entity entity;
  entity.label = label.substr(label.find('-') + 1);  // npos + 1 is 0: the whole label
  double sum = 0;
  for (const Item& item : group) sum += item.score;
  entity.score = static_cast<float>(sum / static_cast<double>(group.size()));
  entity.span = {group.front().span.begin, group.back().span.end};
  entity.first_token = group.front().first_token;
  entity.last_token = group.back().last_token;
  return entity;
}

std::vector<Item> LabelItems(const TokenLogits& input, size_t labels, Aggregation aggregation) {
  const bool by_word = aggregation != Aggregation::kNone && aggregation != Aggregation::kSimple;
  std::vector<Item> items;
  std::vector<Token> word;
  const auto finish = [&] {
    if (!word.empty()) items.push_back(LabelWord(input, word, aggregation));
    word.clear();
  };
  for (size_t t = 0; t < input.offsets.size(); ++t) {
    if (input.sequence[t] < 0) continue;
    Token token{Softmax(input.logits.subspan(t * labels, labels)), t};
    if (!by_word) {
      items.push_back(Label(input, {&token, 1}, token.scores));
      continue;
    }
    if (input.continues[t] == 0) finish();
    word.push_back(std::move(token));
  }
  finish();
  return items;
}

}  // namespace

base::StatusOr<Aggregation> ParseAggregation(std::string_view name) {
  if (name == "none") return Aggregation::kNone;
  if (name == "simple") return Aggregation::kSimple;
  if (name == "first") return Aggregation::kFirst;
  if (name == "average") return Aggregation::kAverage;
  if (name == "max") return Aggregation::kMax;
  return base::BadInput("aggregation \"", name, "\"; expected none, simple, first, average or max");
}

std::vector<std::uint8_t> ContinuesWord(std::span<const std::string_view> tokens,
                                        std::span<const text::Span> offsets, std::string_view text,
                                        bool word_pieces, std::string_view unknown_token) {
  HONE_CHECK(tokens.size() == offsets.size());
  std::vector<std::uint8_t> continues(tokens.size());
  for (size_t t = 0; t < tokens.size(); ++t) {
    const text::Span span = offsets[t];
    if (tokens[t] == unknown_token) continue;
    if (word_pieces) {
      const std::string_view covered = text.substr(span.begin, span.end - span.begin);
      continues[t] = CountRunes(tokens[t]) != CountRunes(covered);
    } else {
      const bool space_near =
          span.begin > 0 &&
          (text[span.begin - 1] == ' ' || (span.begin < text.size() && text[span.begin] == ' '));
      continues[t] = span.begin > 0 && !space_near;
    }
  }
  return continues;
}

std::vector<std::uint8_t> ContinuesWord(const text::Tokenizer& tokenizer,
                                        const text::Encoding& encoding, std::string_view text) {
  std::vector<std::string_view> tokens;
  for (const std::int32_t id : encoding.ids) tokens.push_back(tokenizer.Token(id));
  // Every WordPiece vocabulary has its letters as continuations; no other kind has this spelling.
  const bool word_pieces = tokenizer.Id("##e").has_value();
  const bool brackets = tokenizer.Id("[UNK]").has_value();
  return ContinuesWord(tokens, encoding.offsets, text, word_pieces, brackets ? "[UNK]" : "<unk>");
}

std::vector<Entity> FindEntities(const TokenLogits& input, std::span<const std::string> labels,
                                 Aggregation aggregation) {
  const size_t tokens = input.offsets.size();
  HONE_CHECK(!labels.empty() && input.logits.size() == tokens * labels.size());
  HONE_CHECK(input.sequence.size() == tokens && input.continues.size() == tokens);
  const std::vector<Item> items = LabelItems(input, labels.size(), aggregation);
  const auto label = [&](const Item& item) -> const std::string& {
    return labels[static_cast<size_t>(item.label)];
  };
  std::vector<Entity> entities;
  for (size_t begin = 0; begin < items.size();) {
    size_t end = begin + 1;
    if (aggregation != Aggregation::kNone) {
      while (end < items.size()) {
        const Tag tag = TagOf(label(items[end]));
        if (tag.begins || tag.name != TagOf(label(items[end - 1])).name) break;
        ++end;
      }
    }
    Entity entity = Join(std::span(items).subspan(begin, end - begin), labels);
    if (aggregation == Aggregation::kNone) entity.label = label(items[begin]);
    if (entity.label != "O") entities.push_back(std::move(entity));
    begin = end;
  }
  return entities;
}

std::vector<Entity> MergeOverlapping(std::vector<Entity> entities) {
  std::ranges::stable_sort(entities, {}, [](const Entity& e) { return e.span.begin; });
  std::vector<Entity> kept;
  for (Entity& entity : entities) {
    if (kept.empty() || entity.span.begin >= kept.back().span.end) {
      kept.push_back(std::move(entity));
      continue;
    }
    Entity& before = kept.back();
    const auto length = entity.span.end - entity.span.begin;
    const auto length_before = before.span.end - before.span.begin;
    if (length > length_before || (length == length_before && entity.score > before.score)) {
      before = std::move(entity);
    }
  }
  return kept;
}

}  // namespace hone::runtime
