// The "post_processor" of tokenizer.json: special tokens around one text or a pair, and trimmed
// offsets.
//
// Supported  TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, and a Sequence of
//            ByteLevel and at most one of the others.
// Source     huggingface/tokenizers, tokenizers/src/processors.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace hone::text {

struct TemplatePiece {
  enum Kind { kFirst, kSecond, kSpecial } kind;
  std::vector<std::int32_t> ids;  // of a special token
  std::int32_t type;
};

struct PostProcessor {
  std::vector<TemplatePiece> single = {{TemplatePiece::kFirst, {}, 0}};
  std::vector<TemplatePiece> pair = {{TemplatePiece::kFirst, {}, 0},
                                     {TemplatePiece::kSecond, {}, 1}};
  bool trim_offsets = false;      // leave leading and trailing spaces of a token out of its offsets
  bool add_prefix_space = false;  // … but not the one space that was prepended

  int Added(bool is_pair) const;
  std::int32_t id_limit() const;  // above the ids of its special tokens
};

base::StatusOr<PostProcessor> PostProcessorFromJson(const base::JsonValue& json);

// [CLS] A [SEP] and [CLS] A [SEP] B [SEP].
PostProcessor BertTemplate(std::int32_t cls, std::int32_t sep);

// <s> A </s> and <s> A </s> </s> B </s>, with one token type.
PostProcessor RobertaTemplate(std::int32_t cls, std::int32_t sep);

}  // namespace hone::text
