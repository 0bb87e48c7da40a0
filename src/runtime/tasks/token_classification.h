// From a label a token to entities of the text, as transformers' token-classification pipeline does
// it.
//
//   none     every token by itself
//   simple   neighbours of one tag become one entity; a label beginning with "B-" starts a new one
//   first    as simple, but a word's tokens all take the label of its first token
//   average  … the best label of their mean probabilities
//   max      … the label of the token that is surest
//
// Entities labelled "O" are left out. An entity's score is the mean over its tokens (or words).
// Which tokens continue a word is the pipeline's own rule, quirks included: with WordPiece, those
// whose spelling is not as long as the text they cover; with other tokenizers, those with no space
// before.
//
// Source  transformers/pipelines/token_classification.py (5.x); tools/golden/tasks.py runs it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "text/tokenizer.h"

namespace hone::runtime {

enum class Aggregation { kNone, kSimple, kFirst, kAverage, kMax };

// "none", "simple", "first", "average", "max".
base::StatusOr<Aggregation> ParseAggregation(std::string_view name);

// One encoded text. All spans have one element a token; the views must outlive the call only.
struct TokenLogits {
  std::string_view text;
  std::span<const float> logits;            // [T, labels]
  std::span<const text::Span> offsets;      // bytes of `text`
  std::span<const std::int8_t> sequence;    // -1 for special tokens, which are left out
  std::span<const std::uint8_t> continues;  // 1: the token continues a word; see ContinuesWord
};

struct Entity {
  std::string label;  // "B-PER" for kNone, "PER" otherwise
  float score = 0;
  text::Span span;                      // bytes of the text
  int first_token = 0, last_token = 0;  // inclusive
};

// Whether each token of `encoding` continues a word.
std::vector<std::uint8_t> ContinuesWord(const text::Tokenizer& tokenizer,
                                        const text::Encoding& encoding, std::string_view text);
// The same from the tokens' spellings. `word_pieces`: continuations are marked ("##ing").
std::vector<std::uint8_t> ContinuesWord(std::span<const std::string_view> tokens,
                                        std::span<const text::Span> offsets, std::string_view text,
                                        bool word_pieces, std::string_view unknown_token);

std::vector<Entity> FindEntities(const TokenLogits& input, std::span<const std::string> labels,
                                 Aggregation aggregation);

// Entities of overlapping windows of one text as one list: of two that overlap the longer stays,
// then the surer.
std::vector<Entity> MergeOverlapping(std::vector<Entity> entities);

}  // namespace hone::runtime
